/** Using trained adapters: a registry of adapters by name, classification, embeddings, scores and greedy answers. */
package io.peftj.djl.serve;
