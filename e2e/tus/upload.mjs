// Uploads a file as tus-js-client does, and prints the upload's address.
//   upload.mjs ENDPOINT TOKEN FILE '{"metadata": {…}, "chunk_bytes": N, "url": "…", "stop_at": N}'
import { createReadStream } from 'node:fs'
import { Upload } from 'tus-js-client'

const [endpoint, token, file, settings] = process.argv.slice(2)
const { metadata, chunk_bytes: chunkSize, url: uploadUrl, stop_at: stopAt } = JSON.parse(settings)

const upload = new Upload(createReadStream(file), {
  endpoint,
  uploadUrl,
  metadata,
  chunkSize: chunkSize ?? Number.POSITIVE_INFINITY,
  headers: { Authorization: `Bearer ${token}` },
  // A dead writer keeps others out for ten seconds; a function that was killed comes back within some.
  retryDelays: [0, 1000, 1000, 2000, 3000, 5000, 5000, 10000, 10000],
  onChunkComplete: async (_size, accepted) => {
    if (stopAt === undefined || accepted < stopAt) return
    await upload.abort()
    console.log(upload.url)
  },
  onError: (error) => {
    console.error(`${error}`)
    process.exit(1)
  },
  onSuccess: () => console.log(upload.url),
})
upload.start()
