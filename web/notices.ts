import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

/**
 * Writes who made what is bundled, and under which licence, word for word, and has the page link to it. Fails where a
 * package says nothing about it, so that none slips in.
 */
export function notices(): Plugin {
  return {
    name: "notices",
    apply: "build",
    generateBundle: {
      order: "post", // the page has to be there
      handler(_, bundle) {
        const parts = Object.values(bundle);
        const sources = parts.flatMap((part) => (part.type === "chunk" ? Object.keys(part.modules) : part.originalFileNames));
        const packages = new Set(sources.flatMap((source) => packageOf(source) ?? []));
        const source = [...packages].sort().map(notice).join(`\n\n${"-".repeat(78)}\n\n`);
        const reference = this.emitFile({ type: "asset", name: "licences.txt", source });
        const page = bundle["index.html"];
        if (page?.type !== "asset") throw new Error("there is no page to link to the licences");
        const link = `<link rel="license" href="./${this.getFileName(reference)}" />`;
        page.source = String(page.source).replace("</head>", `  ${link}\n  </head>`);
      },
    },
  };
}

function packageOf(source: string): string | undefined {
  const path = source.replace(/^\0/, "").replace(/\?.*$/, "");
  if (!path.includes("node_modules/")) return undefined;
  let folder = dirname(path);
  // Folders of a package may hold a package.json that only says how its modules are to be read.
  while (!existsSync(join(folder, "package.json")) || !manifest(folder).name) {
    if (folder === dirname(folder)) return undefined;
    folder = dirname(folder);
  }
  return folder;
}

function notice(folder: string): string {
  const { name, version, license } = manifest(folder);
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (!file || !license) throw new Error(`${name} comes without a licence: don't bundle it`);
  return `${name} ${version}, ${license}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}

function manifest(folder: string): { name?: string; version?: string; license?: string } {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
