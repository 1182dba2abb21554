/**
 * What every program that a test starts gets of the environment: where programs are found, where GStreamer keeps its list of plug-ins, and where code
 * that was compiled once lies. Without the last two each start would do again what takes seconds.
 */
export function childEnvironment(): { readonly PATH: string; readonly HOME: string; readonly NODE_COMPILE_CACHE: string } {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE };
}
