const waiting = new WeakMap<Element, () => void>();

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      waiting.get(target)?.();
    }
  },
  { rootMargin: "200px" },
);

/** Does something once an element is about to be seen. What is far down costs no request. */
export function whenSeen(element: Element, then: () => void): void {
  waiting.set(element, then);
  observer.unobserve(element);
  observer.observe(element);
}
