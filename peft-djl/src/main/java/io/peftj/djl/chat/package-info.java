/** Conversations as the text that a chat model was trained on: messages through the model's own template. */
package io.peftj.djl.chat;
