import { describe, expect, test } from 'vitest';
import { nginxConfig } from '#fleet-server/relay/nginx-config.ts';

const options = {
  modulePath: '/usr/lib/nginx/modules/ngx_rtmp_module.so',
  workerUser: 'www-data',
  rtmpPort: 1935,
  pidFile: '/run/r/private/nginx.pid',
  controlSocket: '/run/r/private/control.sock',
  callbackSocket: '/run/r/callback.sock',
  callbackSecret: 'c0ffee',
  hlsDirectory: '/run/r/hls',
  temporaryDirectory: '/run/r/private/temporary',
};

test('the whole configuration', () => {
  expect(nginxConfig(options)).toBe(`# Written by the fleet server at each start: changes made here are lost.
load_module "/usr/lib/nginx/modules/ngx_rtmp_module.so";
user www-data;
daemon off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid "/run/r/private/nginx.pid";
error_log stderr warn;
events {
  worker_connections 4096;
}
rtmp {
  access_log off;
  max_connections 2000;
  server {
    listen 1935;
    chunk_size 4096;
    max_message 4M;
    timeout 20s;
    ping 10s;
    ping_timeout 10s;
    notify_method post;
    application live {
      live on;
      wait_key on;
      sync 100ms;
      # A device that vanished without a goodbye keeps its name no longer than this.
      drop_idle_publisher 8s;
      on_publish "http://unix:/run/r/callback.sock:/c0ffee/publish";
      on_publish_done "http://unix:/run/r/callback.sock:/c0ffee/publish-done";
      on_play "http://unix:/run/r/callback.sock:/c0ffee/play";
      hls on;
      hls_path "/run/r/hls";
      hls_nested on;
      hls_continuous on;
      hls_fragment 2s;
      hls_playlist_length 12s;
      hls_cleanup on;
    }
  }
}
http {
  access_log off;
  client_body_temp_path "/run/r/private/temporary/client_body";
  proxy_temp_path "/run/r/private/temporary/proxy";
  fastcgi_temp_path "/run/r/private/temporary/fastcgi";
  uwsgi_temp_path "/run/r/private/temporary/uwsgi";
  scgi_temp_path "/run/r/private/temporary/scgi";
  server {
    listen unix:/run/r/private/control.sock;
    location = /stat {
      rtmp_stat all;
    }
    location /control/ {
      rtmp_control all;
    }
  }
}
`);
});

describe('what differs', () => {
  test('no user is named when nginx is not started as root', () => {
    expect(nginxConfig({ ...options, workerUser: null })).not.toContain('user ');
  });

  test('a path with a quote and a space stays one word', () => {
    expect(nginxConfig({ ...options, hlsDirectory: '/srv/a "b" c\\d' })).toContain('hls_path "/srv/a \\"b\\" c\\\\d";');
  });

  test.each(['record ', 'exec', 'push ', 'pull ', 'allow '])('there is no "%s" in it', (directive) => {
    expect(nginxConfig(options)).not.toContain(directive);
  });
});
