/** hls.js declares no types for its smaller build; they are those of the whole one. */
declare module 'hls.js/light' {
  import Hls from 'hls.js';

  export { Hls as default };
}
