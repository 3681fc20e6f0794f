/** Using trained adapters: a registry of adapters by name, classification, embeddings, scores and continued texts. */
package io.peftj.djl.serve;
