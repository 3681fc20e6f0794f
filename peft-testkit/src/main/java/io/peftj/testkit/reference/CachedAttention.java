package io.peftj.testkit.reference;

import io.peftj.core.tensor.CacheLayout;
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

    private void attend(Array out, int row, int i, int head) {
        int token = rows.queries().begin(row) + i;
        int query = (token * heads + head) * width;
        int kvHead = head / (heads / kvHeads);
        double[] sum = new double[width];
        double total = 0;
        for (int place = 0; place <= rows.before(row) + i; place++) {
            int at = ((rows.slot(row) * kvHeads + kvHead) * keys.dim(2) + place) * width;
            total += add(sum, query, keys, values, at);
        }
        for (Attention.Prefix prefix : prefixes) {
            for (int place = 0;
                    prefix.begin() <= token
                            && token < prefix.end()
                            && place < prefix.keys().dim(0);
                    place++) {
                total += add(sum, query, prefix.keys(), prefix.values(), (place * kvHeads + kvHead) * width);
            }
        }
        for (int w = 0; w < width; w++) {
            out.values()[query + w] = sum[w] / total;
        }
    }

    /** Adds a place's value by its weight, which is returned: scores of a standard size need no shift. */
    private double add(double[] sum, int query, Array k, Array v, int at) {
        double score = 0;
        for (int w = 0; w < width; w++) {
            score += q.values()[query + w] * k.values()[at + w];
        }
        double weight = Math.exp(score * scale);
        for (int w = 0; w < width; w++) {
            sum[w] += weight * v.values()[at + w];
        }
        return weight;
    }
}
