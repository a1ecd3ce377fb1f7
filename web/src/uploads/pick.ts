/** A file that somebody chose, and where it lies, if the browser says so: then it can be found again after a reload. */
export interface Picked {
  file: File;
  handle: FileSystemFileHandle | null;
}

type Picker = (options: { multiple: boolean }) => Promise<FileSystemFileHandle[]>;

/** Has the person choose files. Empty if they change their mind. */
export async function pick(multiple: boolean): Promise<Picked[]> {
  const { showOpenFilePicker } = window as unknown as { showOpenFilePicker?: Picker };
  if (!showOpenFilePicker) return pickByInput(multiple);
  try {
    const handles = await showOpenFilePicker({ multiple });
    return await Promise.all(handles.map(async (handle) => ({ file: await handle.getFile(), handle })));
  } catch {
    return [];
  }
}

function pickByInput(multiple: boolean): Promise<Picked[]> {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = multiple;
  return new Promise((resolve) => {
    input.addEventListener("change", () => resolve([...(input.files ?? [])].map(withoutHandle)));
    input.addEventListener("cancel", () => resolve([]));
    input.click();
  });
}

type Dropped = DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> };

/** The files of a drop; folders are left out. What is dropped can only be asked before the event has passed. */
export async function dropped(transfer: DataTransfer): Promise<Picked[]> {
  const items = ([...transfer.items] as Dropped[]).filter((item) => item.kind === "file");
  const found = items.map(async (item): Promise<Picked | null> => {
    const file = item.getAsFile();
    const isFolder = item.webkitGetAsEntry()?.isDirectory ?? false;
    const handle = await item.getAsFileSystemHandle?.().catch(() => null);
    if (!file || isFolder) return null;
    return { file, handle: handle instanceof FileSystemFileHandle ? handle : null };
  });
  return (await Promise.all(found)).filter((each) => each !== null);
}

function withoutHandle(file: File): Picked {
  return { file, handle: null };
}
