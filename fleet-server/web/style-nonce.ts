/** What the fleet server lets style elements of this page be known by: its policy lets no others have effect. */
declare global {
  /** Where `get-nonce` looks, by which Mantine's dialogs keep the page behind them from scrolling. */
  var __webpack_nonce__: string | undefined;
}

export function styleNonce(): string {
  const { nonce = '' } = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]') ?? {};
  globalThis.__webpack_nonce__ = nonce;
  return nonce;
}
