import { expect, test } from 'vitest';
import { describeMicrophoneFault } from '#device/media-host/microphone-fault.ts';

// GStreamer 1.22's words; the second one of each pair is what it adds for debugging.
test.each([
  [
    "microphone: Could not open audio device for recording. Device is being used by another application. (Device 'plughw:1,0' is busy)",
    'another program uses it',
  ],
  [
    "microphone: Could not open audio device for recording. (Recording open error on device 'plughw:1,0': Permission denied)",
    'this user may not open it: it has to be in the group audio',
  ],
  [
    "microphone: Could not open audio device for recording. (Recording open error on device 'plughw:1,0': No such file or directory)",
    'it is not there any more',
  ],
  [
    "microphone: Could not open audio device for recording. (Recording open error on device 'plughw:1,0': No such device)",
    'it is not there any more',
  ],
  ['microphone: Error recording from audio device. The device has been disconnected.', 'it is not there any more'],
  [
    'microphone: Could not get/set settings from/on resource. (Rate 16000Hz not available for recording: Invalid argument)',
    'it does not give sound at the wanted rate: look at AV_AUDIO_SAMPLING_RATE',
  ],
  [
    "microphone: Could not get/set settings from/on resource. (Rate doesn't match (requested 16000Hz, get 32000Hz))",
    'it does not give sound at the wanted rate: look at AV_AUDIO_SAMPLING_RATE',
  ],
  [
    'microphone: Internal data stream error. (streaming stopped, reason not-negotiated (-4))',
    'it does not give sound at the wanted rate: look at AV_AUDIO_SAMPLING_RATE',
  ],
  [
    'microphone: Could not get/set settings from/on resource. (Channels count 2 not available for recording: Invalid argument)',
    'it gives sound in a form that cannot be used here',
  ],
  ['microphone: Failed to connect to host: Connection refused', 'microphone: Failed to connect to host: Connection refused'],
])('%s', (said, words) => {
  expect(describeMicrophoneFault(said)).toBe(words);
});
