/** Several adapters of one model answer the same turns, in one batch. */
package io.peftj.examples.conversation;
