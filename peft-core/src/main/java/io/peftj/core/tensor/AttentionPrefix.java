package io.peftj.core.tensor;

import io.peftj.core.tensor.Kernels.Prefix;

/**
 * Keys and values that all tokens of some rows see besides their own row (prefix tuning, arXiv 2101.00190).
 *
 * @param begin the first token that sees them, where a row begins
 * @param end behind the last token that sees them, where a row ends
 * @param keys [length, kv heads, head dim]
 * @param values likewise
 */
public record AttentionPrefix(int begin, int end, Tensor keys, Tensor values) {
    Prefix forKernel() {
        return new Prefix(begin, end, keys.buffer(), values.buffer());
    }
}
