# What is uploaded: sound made on the spot, since neither a video nor an ffmpeg may be at hand. Noise, because an encoder has
# work with it. WAV with eight bits and one channel is the sound itself behind a head of 44 bytes.

SHORT_S=2
# Samples a second. So few make small files, and to 48,000 as much work as any.
RATE=1000

make_media() {
  wav "$work/short.wav" "$SHORT_S"
  wav "$work/long.wav" "$LONG_S"
  wav "$work/middle.wav" "$MIDDLE_S"
  printf 'Dear diary, today I have uploaded this.\n' >"$work/hopeless.mp4"
}

# wav FILE SECONDS
wav() {
  local bytes=$(($2 * RATE))
  {
    printf 'RIFF'
    little_endian 4 $((36 + bytes))
    printf 'WAVEfmt '
    little_endian 4 16         # bytes of this part
    little_endian 2 1          # PCM
    little_endian 2 1          # channel
    little_endian 4 "$RATE"    # samples a second
    little_endian 4 "$RATE"    # bytes a second
    little_endian 2 1          # byte per sample
    little_endian 2 8          # bits per sample
    printf 'data'
    little_endian 4 "$bytes"
    head -c "$bytes" /dev/urandom
  } >"$1"
}

# little_endian BYTES NUMBER
little_endian() {
  local i
  for ((i = 0; i < $1; i++)); do
    # shellcheck disable=SC2059  # the format is the byte
    printf "\\x$(printf %02x $(($2 >> 8 * i & 255)))"
  done
}
