/** Puts an element's text on the clipboard. Browsers offer the clipboard only on HTTPS and on the own machine; elsewhere the text is selected and copied the old way. */
export async function copyText(element: HTMLElement): Promise<boolean> {
  const text = element.textContent ?? '';
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused by the person or a policy: the selection below still works.
    }
  }
  const selection = window.getSelection();
  selection?.selectAllChildren(element);
  return document.execCommand('copy');
}
