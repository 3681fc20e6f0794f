/** The LLaMA family (Mistral and Qwen too): pre-norm decoders with rotary positions, grouped-query attention and gated feed-forward networks. */
package io.peftj.djl.backbone.llama;
