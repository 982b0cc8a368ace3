// Results as they come: from the server's own camera, or from this browser's, whose pictures go down a WebSocket.
// openFeed calls onResult(line, picture, mirrored); the picture is drawable, and null where none was asked for.

import { byId, el, settings, showState } from './page.js';

const LONGEST_WAIT = 10000;
const SILENCE = 5000;
const WIDEST = 640;
const socketAddress = (path) => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`;

export function openFeed({ pictures = true, onResult, onReady = () => {} }) {
  const notice = byId('notice');
  if (settings.camera) sayWhenSilent();
  if (!settings.camera) askForCamera(notice, onResult, onReady);
  else if (pictures) watchPictures(notice, onResult, onReady);
  else watchResults(onResult, onReady);
}

let newest = 0;

// A camera that is away leaves its last picture on the page; what stands beside it must not say that it is live.
function sayWhenSilent() {
  setInterval(() => {
    const silent = performance.now() - newest;
    if (newest && !document.hidden && silent >= SILENCE) showState(`no picture for ${Math.round(silent / 1000)} s`, false);
  }, 1000);
}

function state(line) {
  newest = performance.now();
  const source = settings.camera ? settings.source : 'this browser’s camera';
  const name = source.split('/').pop();
  showState(`${name} · ${line.loop.fps.toFixed(line.loop.fps < 10 ? 1 : 0)} a second`, true);
}

// Run `connect` again and again, ever later, while the page is seen; it returns a promise that ends with the connection.
async function keepTrying(connect) {
  let wait = 500;
  for (;;) {
    if (document.hidden) await new Promise((seen) => document.addEventListener('visibilitychange', seen, { once: true }));
    const began = performance.now();
    await connect();
    if (document.hidden) continue;
    wait = performance.now() - began > LONGEST_WAIT ? 500 : Math.min(2 * wait, LONGEST_WAIT);
    showState('not connected; trying again', false);
    await new Promise((over) => setTimeout(over, wait));
  }
}

function watchPictures(notice, onResult, onReady) {
  notice.replaceChildren(el('p', {}, 'Waiting for a picture …'));
  keepTrying(() => new Promise((closed) => {
    const socket = new WebSocket(socketAddress('/api/live'));
    const hide = () => { if (document.hidden) socket.close(); };
    let work = Promise.resolve();
    socket.binaryType = 'arraybuffer';
    document.addEventListener('visibilitychange', hide);
    socket.onmessage = ({ data }) => {
      work = work.then(async () => {
        const length = new DataView(data).getUint32(0);
        const line = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
        const picture = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)], { type: 'image/jpeg' }));
        notice.replaceChildren();
        onReady();
        state(line);
        onResult(line, picture, false);
        picture.close();
        if (socket.readyState === WebSocket.OPEN) socket.send('next');
      });
    };
    socket.onclose = () => { document.removeEventListener('visibilitychange', hide); closed(); };
  }));
}

function watchResults(onResult, onReady) {
  const events = new EventSource('/api/events');
  events.onmessage = ({ data }) => {
    const line = JSON.parse(data);
    onReady();
    state(line);
    onResult(line, null, false);
  };
  events.onerror = () => showState('not connected; trying again', false);
}

function askForCamera(notice, onResult, onReady) {
  if (!navigator.mediaDevices?.getUserMedia) {
    notice.replaceChildren(
      el('h2', {}, 'A camera needs a safe connection'),
      el('p', {}, 'This server has no camera of its own, and browsers give theirs to pages on localhost or over https ' +
        'only. Start fer-edge with --tls-cert and --tls-key, or open this page on the machine it runs on. The Photo page ' +
        'works all the same.'),
    );
    return;
  }
  const start = el('button', { class: 'primary', type: 'button' }, 'Use my camera');
  const words = el('p', {}, `Pictures of your camera go to ${location.hostname} and nowhere else, are worked on in memory ` +
    'and not kept.');
  start.addEventListener('click', async () => {
    start.disabled = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: WIDEST }, height: { ideal: 480 }, facingMode: 'user' }, audio: false,
      });
      words.textContent = 'Waiting for a picture …';
      start.remove();
      await sendPictures(stream, notice, onResult, onReady);
    } catch (error) {
      start.disabled = false;
      words.textContent = error.name === 'NotAllowedError'
        ? 'The browser did not allow it. Allow the camera for this page in its address bar, then try again.'
        : `The camera does not start (${error.name}). Is one plugged in, and does another program use it?`;
    }
  });
  notice.replaceChildren(el('h2', {}, 'Use this browser’s camera'), words, start);
}

async function sendPictures(stream, notice, onResult, onReady) {
  const video = el('video', { muted: true, playsinline: true });
  video.muted = true;
  video.srcObject = stream;
  await video.play();
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { alpha: false });
  const nextPicture = () => new Promise((come) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(come);
    else requestAnimationFrame(come);
  });
  const take = async () => {
    await nextPicture();
    const factor = Math.min(1, WIDEST / Math.max(video.videoWidth, video.videoHeight));
    const [width, height] = [video.videoWidth, video.videoHeight].map((side) => Math.round(side * factor));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.drawImage(video, 0, 0, width, height);
    return new Promise((made) => canvas.toBlob(made, 'image/jpeg', 0.85));
  };
  await keepTrying(() => new Promise((closed) => {
    const socket = new WebSocket(socketAddress('/api/camera'));
    const send = async () => {
      if (document.hidden) return socket.close();
      const picture = await take();
      if (socket.readyState === WebSocket.OPEN) socket.send(picture);
    };
    socket.onopen = send;
    // One picture at a time: the answer asks for the next, which is the rate that the server can take.
    socket.onmessage = ({ data }) => {
      const line = JSON.parse(data);
      notice.replaceChildren();
      onReady();
      state(line);
      onResult(line, canvas, true);
      send();
    };
    socket.onclose = ({ reason }) => {
      if (reason) notice.replaceChildren(el('p', {}, reason));
      closed();
    };
  }));
}
