/** Which tab sends an upload: two must not send the same file. */

const held = new Map<string, () => void>();

/**
 * Claims an upload for this tab, until it is released or the tab is gone. False if another tab has it. Browsers have locks
 * on https and localhost alone; elsewhere the server's own lock (423) keeps two tabs from mixing their bytes.
 */
export function claim(key: string): Promise<boolean> {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request(`decant-upload-${key}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      if (lock) return new Promise<void>((release) => held.set(key, release));
    });
  });
}

export function release(key: string): void {
  held.get(key)?.();
  held.delete(key);
}
