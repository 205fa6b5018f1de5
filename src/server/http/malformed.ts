import type { Socket } from 'node:net';
import { ApiError } from '../../serving/errors.js';

/** Answers what is not HTTP, or too slow or large in its head to be read, and hangs up. */
export function answerMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, text, message } = reasonOf(error.code);
  const body = JSON.stringify(new ApiError(status, message).body());
  socket.end(
    `HTTP/1.1 ${status} ${text}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function reasonOf(code: string | undefined): { status: number; text: string; message: string } {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, text: 'Request Timeout', message: 'the request took too long to arrive' };
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, text: 'Request Header Fields Too Large', message: 'the head of the request is too large' };
    default:
      return { status: 400, text: 'Bad Request', message: 'this is not an HTTP request' };
  }
}
