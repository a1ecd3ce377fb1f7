/** Has a screen reader say something when it is done with what it is saying. */
export function announce(words: string): void {
  const place = document.getElementById("announcements");
  if (!place) return;
  place.append(Object.assign(document.createElement("span"), { textContent: `${words} ` }));
  // What was said a while ago only lengthens what is said next.
  while (place.childElementCount > 3) place.firstElementChild?.remove();
}
