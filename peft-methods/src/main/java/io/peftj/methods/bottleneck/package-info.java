/** Bottleneck adapters: small networks behind or beside a layer's attention and feed-forward network. */
package io.peftj.methods.bottleneck;
