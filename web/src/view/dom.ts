type Value = string | number | boolean | null | ((event: never) => void);
type Child = Node | string | null;

/**
 * Makes an element. `onclick` and the like take functions; `true` sets an attribute without a value, `false` and `null`
 * leave it away. Text is never read as HTML.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Sets or takes away one attribute, as `h` takes it. */
export function set(element: Element, name: string, value: Value): void {
  if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
  else if (value === null || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** Writes a text where it is another one, so that nothing is read out or drawn again for nothing. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

let ids = 0;

/** An id that no other element has. */
export function newId(): string {
  ids += 1;
  return `n${ids}`;
}
