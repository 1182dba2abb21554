/** hls.js declares no types for its smaller build; they are those of the whole one. */
declare module 'hls.js/light' {
  import type HlsPlayer from 'hls.js';
  export const Hls: typeof HlsPlayer;
}
