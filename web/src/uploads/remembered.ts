import type { Options } from "../options.ts";

/** An upload that hasn't ended, as the browser keeps it over a reload. */
export interface Remembered {
  key: string;
  /** Whose it is: nobody else who signs in here sees it. */
  owner: string;
  name: string;
  size: number;
  lastModified: number;
  options: Options;
  /** Where the server takes its bytes (tus); `null` before it said so. */
  url: string | null;
  /** Where the browser has them: Chromium tells, other browsers need the file to be chosen again. */
  handle: FileSystemFileHandle | null;
}

const DATABASE = "decant";
const STORE = "uploads";

/** Keeps an upload, or what is new about it. Where a browser keeps nothing (private windows), nothing is kept. */
export async function remember(upload: Remembered): Promise<void> {
  await within("readwrite", (store) => store.put(upload)).catch(() => {});
}

export async function forget(key: string): Promise<void> {
  await within("readwrite", (store) => store.delete(key)).catch(() => {});
}

/** What this person left unfinished, oldest first. */
export async function recall(owner: string): Promise<Remembered[]> {
  const all = await within<Remembered[]>("readonly", (store) => store.getAll()).catch(() => []);
  return all.filter((upload) => upload.owner === owner);
}

async function within<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await answerOf(act(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
  return answerOf(request);
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
