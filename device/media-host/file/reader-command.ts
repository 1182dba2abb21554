/** The arguments of the process that takes a file apart. Pure. */
import type { Container } from '#device/media-host/file/container.ts';

/** Descriptors of the process: the file, and what comes out of it. */
export const descriptors = { pictures: 3, sound: 4, file: 5 } as const;

/** Whatever else a file holds (subtitles, data, what is encrypted) is left alone. */
const pictureTypes = [
  'video/x-h264',
  'video/x-h265',
  'video/x-vp8',
  'video/x-vp9',
  'video/x-av1',
  'video/x-theora',
  'video/mpeg',
  'video/x-divx',
  'video/x-wmv',
  'image/jpeg',
];
const soundTypes = [
  'audio/mpeg',
  'audio/x-vorbis',
  'audio/x-opus',
  'audio/x-flac',
  'audio/x-raw',
  'audio/x-alaw',
  'audio/x-mulaw',
  'audio/x-adpcm',
];

/**
 * Pictures stay as they are encoded; sound is decoded to samples of two channels. `soundRateHz` null: without it. The bin of the
 * decoder must not wait for sound that a file does not have, nor must the sinks.
 */
export function readerCommand(container: Container, soundRateHz: number | null): readonly string[] {
  const sink = (descriptor: number) => ['gdppay', 'crc-header=false', '!', 'fdsink', `fd=${descriptor}`, 'sync=false', 'async=false'];
  const format = `audio/x-raw,format=S16LE,layout=interleaved,rate=${soundRateHz},channels=2`;
  return [
    '-q',
    ...['filesrc', `location=/proc/self/fd/${descriptors.file}`, '!', container, 'name=demuxer'],
    ...['demuxer.', '!', pictureTypes.join(';'), '!', 'queue', '!', ...sink(descriptors.pictures)],
    ...(soundRateHz === null
      ? []
      : [
          ...['demuxer.', '!', soundTypes.join(';'), '!', 'queue', '!', 'decodebin', 'async-handling=true', 'name=decoder'],
          ...['decoder.', '!', 'audioconvert', '!', 'audioresample', '!', format, '!', ...sink(descriptors.sound)],
        ]),
  ];
}
