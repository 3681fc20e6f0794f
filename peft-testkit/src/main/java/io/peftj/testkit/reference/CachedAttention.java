package io.peftj.testkit.reference;

import io.peftj.core.tensor.CacheLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Softmax attention over a cache, one query at a time. */
final class CachedAttention {
    private final Array q;
    private final Array keys;
    private final Array values;
    private final CacheLayout rows;
    private final double scale;
    private final List<Attention.Prefix> prefixes;
    private final int heads;
    private final int kvHeads;
    private final int width;

    /** Queries [tokens, heads, head dim] over keys and values [slots, kv heads, capacity, head dim]. */
    CachedAttention(
            Array q, Array keys, Array values, CacheLayout rows, double scale, List<Attention.Prefix> prefixes) {
        this.q = q;
        this.keys = keys;
        this.values = values;
        this.rows = rows;
        this.scale = scale;
        this.prefixes = prefixes;
        this.heads = q.dim(1);
        this.kvHeads = keys.dim(1);
        this.width = q.dim(2);
    }

    /** The output [tokens, heads, head dim]. */
    Array forward() {
        Array out = Array.zeros(q.shape());
        for (int row = 0; row < rows.queries().rows(); row++) {
            for (int i = 0; i < rows.queries().length(row); i++) {
                for (int head = 0; head < heads; head++) {
                    attend(out, row, i, head);
                }
            }
        }
        return out;
    }

    /** A place that a query sees: where its key and value begin. */
    private record Seen(Array keys, Array values, int at) {}

    private void attend(Array out, int row, int i, int head) {
        int token = rows.queries().begin(row) + i;
        int query = (token * heads + head) * width;
        List<Seen> seen = seen(row, i, token, head / (heads / kvHeads));
        double[] scores =
                seen.stream().mapToDouble(place -> score(query, place)).toArray();
        double greatest = Arrays.stream(scores).max().orElseThrow();
        double total = 0;
        double[] sum = new double[width];
        for (int n = 0; n < scores.length; n++) {
            double weight = Math.exp(scores[n] - greatest);
            total += weight;
            Seen place = seen.get(n);
            for (int w = 0; w < width; w++) {
                sum[w] += weight * place.values().values()[place.at() + w];
            }
        }
        for (int w = 0; w < width; w++) {
            out.values()[query + w] = sum[w] / total;
        }
    }

    private List<Seen> seen(int row, int i, int token, int kvHead) {
        List<Seen> seen = new ArrayList<>();
        for (int place = 0; place <= rows.before(row) + i; place++) {
            seen.add(new Seen(keys, values, ((rows.slot(row) * kvHeads + kvHead) * keys.dim(2) + place) * width));
        }
        for (Attention.Prefix prefix : prefixes) {
            if (prefix.begin() <= token && token < prefix.end()) {
                for (int place = 0; place < prefix.keys().dim(0); place++) {
                    seen.add(new Seen(prefix.keys(), prefix.values(), (place * kvHeads + kvHead) * width));
                }
            }
        }
        return seen;
    }

    private double score(int query, Seen place) {
        double score = 0;
        for (int w = 0; w < width; w++) {
            score += q.values()[query + w] * place.keys().values()[place.at() + w];
        }
        return score * scale;
    }
}
