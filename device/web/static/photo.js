// Photo: the faces of one picture that was dropped, pasted, chosen or taken.

import { drawFaces } from './overlay.js';
import { byId, download, say } from './page.js';
import { People } from './people.js';

const AS_IT_IS = 4 * 1024 * 1024; // bytes; what is larger is shrunk here, which is quicker than to send it
const LONGEST = 2048;
const MANY = 3; // faces that fit beside the photo
const people = new People(byId('people'), byId('nobody'));
const [drop, canvas, viewfinder, message] = ['drop', 'picture', 'viewfinder', 'message'].map(byId);
const LEAVING = /\.[^.]*$/;
let name = 'photo';
let current = 0;

async function shrink(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name || 'this'}: no picture that this browser can read; send a JPEG, PNG or WebP picture`);
  }
  const factor = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const small = new OffscreenCanvas(Math.round(bitmap.width * factor), Math.round(bitmap.height * factor));
  const context = small.getContext('2d', { alpha: false });
  context.fillStyle = '#fff'; // seen through transparent pixels, as the server has it
  context.fillRect(0, 0, small.width, small.height);
  context.drawImage(bitmap, 0, 0, small.width, small.height);
  bitmap.close();
  return small.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
}

const accepted = (file) => ['image/jpeg', 'image/png', 'image/webp'].includes(file.type);

async function examine(file) {
  const number = ++current;
  drop.classList.add('busy');
  say(message, 'Looking for faces …');
  try {
    const body = file.size <= AS_IT_IS && accepted(file) ? file : await shrink(file);
    const response = await fetch('/api/photo', { method: 'POST', body, headers: { 'Content-Type': body.type } });
    const answer = await response.json();
    if (number !== current) return;
    if (!response.ok) throw new Error(`${file.name || 'This picture'}: ${answer.error}`);
    const bitmap = await createImageBitmap(body);
    show(bitmap, answer);
    bitmap.close();
    name = (file.name || 'photo').replace(LEAVING, '');
  } catch (error) {
    if (number === current) say(message, error instanceof TypeError ? 'The server does not answer.' : error.message, 'bad');
  } finally {
    if (number === current) drop.classList.remove('busy');
  }
}

function show(bitmap, answer) {
  stopCamera();
  byId('empty').hidden = true;
  canvas.hidden = false;
  drop.classList.add('filled');
  drawFaces(canvas, bitmap, answer, { longest: LONGEST });
  people.show([]);
  document.querySelector('.with-side').classList.toggle('many', answer.faces.length > MANY);
  people.show(answer.faces);
  byId('nobody').textContent = 'No face found. Faces that look at the camera are, from 24 pixels on.';
  byId('download').hidden = false;
  const count = answer.faces.length;
  say(message, `${count === 1 ? 'One face' : `${count || 'No'} faces`} in ${answer.milliseconds} ms.`);
}

let stream = null;
function stopCamera() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  viewfinder.hidden = byId('shoot').hidden = byId('cancel').hidden = true;
  byId('take').hidden = byId('choose').hidden = false;
}

async function startCamera() {
  // Without a safe connection there is no camera for the page, but a telephone's own one hands over a file.
  if (!navigator.mediaDevices?.getUserMedia) return byId('snap').click();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: 'user' }, audio: false });
  } catch (error) {
    return say(message, `The camera does not start (${error.name}). Allow it in the address bar, or choose a file.`, 'bad');
  }
  say(message, '');
  viewfinder.srcObject = stream;
  await viewfinder.play();
  canvas.hidden = byId('empty').hidden = byId('take').hidden = byId('choose').hidden = byId('download').hidden = true;
  viewfinder.hidden = byId('shoot').hidden = byId('cancel').hidden = false;
  byId('shoot').focus();
}

function takePicture() {
  const still = new OffscreenCanvas(viewfinder.videoWidth, viewfinder.videoHeight);
  still.getContext('2d', { alpha: false }).drawImage(viewfinder, 0, 0);
  still.convertToBlob({ type: 'image/jpeg', quality: 0.92 }).then(examine);
}

function cancel() {
  stopCamera();
  const any = drop.classList.contains('filled');
  canvas.hidden = !any;
  byId('download').hidden = !any;
  byId('empty').hidden = any;
  byId('take').focus();
}

const first = (files) => { if (files?.length) examine(files[0]); };
for (const input of [byId('file'), byId('snap')]) {
  input.addEventListener('change', () => { first(input.files); input.value = ''; });
}
byId('choose').addEventListener('click', () => byId('file').click());
byId('take').addEventListener('click', startCamera);
byId('shoot').addEventListener('click', takePicture);
byId('cancel').addEventListener('click', cancel);
byId('download').addEventListener('click', () => canvas.toBlob((blob) => download(blob, `${name}-faces.jpg`), 'image/jpeg', 0.92));
document.addEventListener('paste', (event) => first(event.clipboardData?.files));
document.addEventListener('dragover', (event) => { event.preventDefault(); drop.classList.add('over'); });
document.addEventListener('dragleave', () => drop.classList.remove('over'));
document.addEventListener('drop', (event) => { event.preventDefault(); drop.classList.remove('over'); first(event.dataTransfer.files); });
