package io.peftj.djl.engine;

import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.Kernels.Prefix;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Layout.Run;
import io.peftj.djl.engine.TorchCalls.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/** Attention inside rows, with prefixes, and its gradients; and attention over a cache. */
final class AttentionKernels {
    /** So many entries of a layer's keys are read in the time that a call takes to begin. */
    private static final int PADDING = 1 << 16;

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
        int tokens = q.dim(0);
        int heads = q.dim(1);
        List<Part> parts =
                List.of(Part.own(q.form()), Part.own(Form.of(q.type().wide(), heads, tokens), new long[] {1, heads}));
        return prefixes.isEmpty()
                ? calls.parts("attention", parts, q, k, v, runs, causal, scale)
                : calls.parts(
                        "attention_with_prefixes",
                        parts,
                        q,
                        k,
                        v,
                        runs,
                        causal,
                        scale,
                        ranges(prefixes),
                        keysAndValues(prefixes));
    }

    Buffer cachedAttention(
            TorchBuffer q, Buffer keys, Buffer values, CacheLayout rows, double scale, List<Prefix> prefixes) {
        return calls.one(
                "cached_attention",
                q.form(),
                q,
                keys,
                values,
                blocks(rows.runs(), PADDING / (TorchBuffer.of(keys).dim(1) * q.dim(2))),
                rows.placeOfToken(),
                choice.tokenProducts(q.type()),
                scale,
                ranges(prefixes),
                keysAndValues(prefixes));
    }

    /**
     * Joins runs of single tokens at consecutive slots: one call for rows behind more and fewer others, with a mask, where that reads less in vain than
     * a call costs.
     *
     * @param padding how many keys may be read in vain for each call less
     * @return of each call begin, rows, length, slot, and the most and the fewest tokens that one of its rows has before
     */
    static long[] blocks(List<CacheLayout.Run> runs, int padding) {
        List<long[]> blocks = new ArrayList<>();
        long seen = 0; // keys that the last block's rows see
        long spared = 0; // calls that the last block spares
        for (CacheLayout.Run run : runs) {
            long[] last = blocks.isEmpty() ? null : blocks.get(blocks.size() - 1);
            long keys = run.rows() * (run.before() + 1L);
            if (last != null && last[2] == 1 && run.length() == 1 && run.slot() == last[3] + last[1]) {
                long most = Math.max(last[4], run.before());
                if ((last[1] + run.rows()) * (most + 1) - seen - keys <= padding * (spared + 1)) {
                    last[1] += run.rows();
                    last[4] = most;
                    last[5] = Math.min(last[5], run.before());
                    seen += keys;
                    spared++;
                    continue;
                }
            }
            blocks.add(new long[] {run.begin(), run.rows(), run.length(), run.slot(), run.before(), run.before()});
            seen = keys;
            spared = 0;
        }
        return blocks.stream().flatMapToLong(LongStream::of).toArray();
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
        List<Part> parts = new ArrayList<>(sideBySide(q, k));
        for (Prefix prefix : prefixes) {
            Form form = q.form().withShape(TorchBuffer.of(prefix.keys()).form().shape());
            parts.add(Part.own(form));
            parts.add(Part.own(form));
        }
        TorchBuffer[] results = calls.parts(
                "attention_backward",
                parts,
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
        results[0].release(); // its views keep it
        return Arrays.copyOfRange(results, 1, results.length);
    }

    /** The gradients of q, k and v as views of the one tensor, the first, in which they follow each other, like the parts of a fused projection. */
    private static List<Part> sideBySide(TorchBuffer q, TorchBuffer k) {
        int heads = q.dim(1);
        int kv = k.dim(1);
        Form form = q.form().withDim(1, heads + 2 * kv);
        long[] strides = Strides.contiguous(form.shape());
        return List.of(
                Part.own(form),
                new Part(q.form(), strides, 0, 0),
                new Part(k.form(), strides, 0, heads * strides[1]),
                new Part(k.form(), strides, 0, (heads + kv) * strides[1]));
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
