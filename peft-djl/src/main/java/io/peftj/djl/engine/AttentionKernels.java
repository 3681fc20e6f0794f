package io.peftj.djl.engine;

import ai.djl.pytorch.jni.IValue;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.Kernels.Prefix;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Layout.Run;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** Attention inside rows, with prefixes, and its gradients; and attention over a cache. */
final class AttentionKernels {
    private final TorchCalls calls;
    private final KernelChoice choice;

    AttentionKernels(TorchCalls calls, KernelChoice choice) {
        this.calls = calls;
        this.choice = choice;
    }

    Buffer[] attention(
            TorchBuffer q,
            TorchBuffer k,
            TorchBuffer v,
            Layout layout,
            boolean causal,
            double scale,
            List<Prefix> prefixes) {
        long[] runs = runs(layout, q.dim(1) != k.dim(1));
        IValue[] parts = prefixes.isEmpty()
                ? calls.tuple("attention", q, k, v, runs, causal, scale)
                : calls.tuple(
                        "attention_with_prefixes",
                        q,
                        k,
                        v,
                        runs,
                        causal,
                        scale,
                        ranges(prefixes),
                        keysAndValues(prefixes));
        int tokens = q.dim(0);
        int heads = q.dim(1);
        return new Buffer[] {
            calls.own(parts[0], q.form(), Strides.contiguous(q.form().shape())),
            calls.own(parts[1], Form.of(q.type().wide(), heads, tokens), new long[] {1, heads})
        };
    }

    Buffer cachedAttention(
            TorchBuffer q, Buffer keys, Buffer values, CacheLayout rows, double scale, List<Prefix> prefixes) {
        return calls.one(
                "cached_attention",
                q.form(),
                q,
                keys,
                values,
                rows.runTable(),
                scale,
                ranges(prefixes),
                keysAndValues(prefixes));
    }

    Buffer[] attentionBackward(
            TorchBuffer g,
            TorchBuffer q,
            TorchBuffer k,
            TorchBuffer v,
            TorchBuffer out,
            TorchBuffer logSumExp,
            Layout layout,
            boolean causal,
            double scale,
            List<Prefix> prefixes) {
        int longest = layout.runs().stream().mapToInt(Run::length).max().orElse(0);
        IValue[] parts = calls.tuple(
                "attention_backward",
                g,
                q,
                k,
                v,
                out,
                logSumExp,
                runs(layout, q.dim(1) != k.dim(1)),
                causal,
                scale,
                ranges(prefixes),
                keysAndValues(prefixes),
                choice.wideAttentionGradient(longest, !prefixes.isEmpty()));
        List<Buffer> gradients = new ArrayList<>(sideBySide(parts, q, k));
        for (int i = 0; i < 2 * prefixes.size(); i++) {
            Shape shape = TorchBuffer.of(prefixes.get(i / 2).keys()).form().shape();
            gradients.add(calls.own(parts[4 + i], q.form().withShape(shape), Strides.contiguous(shape)));
        }
        return gradients.toArray(Buffer[]::new);
    }

    /** The gradients of q, k and v as views of the one tensor in which they follow each other, like the parts of a fused projection. */
    private List<TorchBuffer> sideBySide(IValue[] parts, TorchBuffer q, TorchBuffer k) {
        int heads = q.dim(1);
        int kv = k.dim(1);
        Form form = q.form().withDim(1, heads + 2 * kv);
        long[] strides = Strides.contiguous(form.shape());
        TorchBuffer all = calls.own(parts[0], form, strides);
        try {
            return List.of(
                    calls.viewOf(all, parts[1], q.form(), strides, 0),
                    calls.viewOf(all, parts[2], k.form(), strides, heads * strides[1]),
                    calls.viewOf(all, parts[3], k.form(), strides, (heads + kv) * strides[1]));
        } finally {
            all.release();
        }
    }

    /** Begin, rows and length of each run; where query heads share key heads, each row is a run. */
    private static long[] runs(Layout layout, boolean rowByRow) {
        if (!rowByRow) {
            return layout.runTable().values();
        }
        long[] runs = new long[3 * layout.rows()];
        for (int row = 0; row < layout.rows(); row++) {
            runs[3 * row] = layout.begin(row);
            runs[3 * row + 1] = 1;
            runs[3 * row + 2] = layout.length(row);
        }
        return runs;
    }

    private static long[] ranges(List<Prefix> prefixes) {
        return prefixes.stream()
                .flatMapToLong(prefix -> LongStream.of(prefix.begin(), prefix.end()))
                .toArray();
    }

    private static List<Buffer> keysAndValues(List<Prefix> prefixes) {
        List<Buffer> buffers = new ArrayList<>();
        for (Prefix prefix : prefixes) {
            buffers.add(prefix.keys());
            buffers.add(prefix.values());
        }
        return buffers;
    }
}
