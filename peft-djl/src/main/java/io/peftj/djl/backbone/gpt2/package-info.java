/** GPT-2: a pre-norm decoder with learned positions, one layer for queries, keys and values, and matrices that files hold as [in, out]. */
package io.peftj.djl.backbone.gpt2;
