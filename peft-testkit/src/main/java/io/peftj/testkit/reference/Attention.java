package io.peftj.testkit.reference;

import io.peftj.core.tensor.Layout;
import java.util.ArrayList;
import java.util.List;

/** Softmax attention inside rows, one query and one key at a time. */
final class Attention {
    private final Array q;
    private final Source own;
    private final Layout layout;
    private final boolean causal;
    private final double scale;
    private final List<Prefix> prefixes;
    private final int heads;
    private final int width;

    /** Keys and values that tokens [begin, end) see besides their own row. */
    record Prefix(int begin, int end, Array keys, Array values) {}

    /** The output [tokens, heads, head dim] and each softmax's log denominator [heads, tokens]. */
    record Result(Array out, Array logSumExp) {}

    /** Keys and values [places, kv heads, head dim], as read or as their gradients. */
    private record Source(Array keys, Array values) {
        Source zeros() {
            return new Source(Array.zeros(keys.shape()), Array.zeros(values.shape()));
        }
    }

    /** A place that a query sees: which arrays it is in and where its head begins there. */
    private record Seen(int source, int at) {}

    Attention(Array q, Array k, Array v, Layout layout, boolean causal, double scale, List<Prefix> prefixes) {
        this.q = q;
        this.own = new Source(k, v);
        this.layout = layout;
        this.causal = causal;
        this.scale = scale;
        this.prefixes = prefixes;
        this.heads = q.dim(1);
        this.width = q.dim(2);
    }

    Result forward() {
        Array out = Array.zeros(q.shape());
        Array logSumExp = Array.zeros(heads, q.dim(0));
        List<Source> sources = sources();
        forEachQuery((row, token, head) -> {
            int at = (token * heads + head) * width;
            List<Seen> seen = seen(row, token, head);
            double[] scores = new double[seen.size()];
            for (int i = 0; i < scores.length; i++) {
                Array keys = sources.get(seen.get(i).source()).keys();
                scores[i] = scale * dot(q, at, keys, seen.get(i).at());
            }
            double denominator = Structure.logSumExp(scores, 0, scores.length);
            for (int i = 0; i < scores.length; i++) {
                Array values = sources.get(seen.get(i).source()).values();
                addTo(
                        out,
                        at,
                        Math.exp(scores[i] - denominator),
                        values,
                        seen.get(i).at());
            }
            logSumExp.values()[head * q.dim(0) + token] = denominator;
        });
        return new Result(out, logSumExp);
    }

    /** The gradients of q, k, v, then of each prefix's keys and values. */
    List<Array> backward(Array g, Array out, Array logSumExp) {
        Array dq = Array.zeros(q.shape());
        List<Source> sources = sources();
        List<Source> gradients = sources.stream().map(Source::zeros).toList();
        forEachQuery((row, token, head) -> {
            int at = (token * heads + head) * width;
            double delta = dot(g, at, out, at);
            for (Seen seen : seen(row, token, head)) {
                Source source = sources.get(seen.source());
                Source gradient = gradients.get(seen.source());
                double score = scale * dot(q, at, source.keys(), seen.at());
                double probability = Math.exp(score - logSumExp.values()[head * q.dim(0) + token]);
                double dScore = probability * (dot(g, at, source.values(), seen.at()) - delta) * scale;
                addTo(dq, at, dScore, source.keys(), seen.at());
                addTo(gradient.keys(), seen.at(), dScore, q, at);
                addTo(gradient.values(), seen.at(), probability, g, at);
            }
        });
        List<Array> all = new ArrayList<>(List.of(dq));
        for (Source gradient : gradients) {
            all.add(gradient.keys());
            all.add(gradient.values());
        }
        return all;
    }

    /** The rows' own keys and values, then each prefix's. */
    private List<Source> sources() {
        List<Source> sources = new ArrayList<>(List.of(own));
        prefixes.forEach(prefix -> sources.add(new Source(prefix.keys(), prefix.values())));
        return sources;
    }

    private interface Query {
        void at(int row, int token, int head);
    }

    private void forEachQuery(Query query) {
        for (int row = 0; row < layout.rows(); row++) {
            for (int token = layout.begin(row); token < layout.begin(row + 1); token++) {
                for (int head = 0; head < heads; head++) {
                    query.at(row, token, head);
                }
            }
        }
    }

    private List<Seen> seen(int row, int token, int head) {
        int kvHeads = own.keys().dim(1);
        int kvHead = head / (heads / kvHeads);
        List<Seen> seen = new ArrayList<>();
        int last = causal ? token : layout.begin(row + 1) - 1;
        for (int place = layout.begin(row); place <= last; place++) {
            seen.add(new Seen(0, (place * kvHeads + kvHead) * width));
        }
        for (int i = 0; i < prefixes.size(); i++) {
            Prefix prefix = prefixes.get(i);
            if (prefix.begin() <= token && token < prefix.end()) {
                for (int place = 0; place < prefix.keys().dim(0); place++) {
                    seen.add(new Seen(i + 1, (place * kvHeads + kvHead) * width));
                }
            }
        }
        return seen;
    }

    private double dot(Array a, int atA, Array b, int atB) {
        double sum = 0;
        for (int i = 0; i < width; i++) {
            sum += a.values()[atA + i] * b.values()[atB + i];
        }
        return sum;
    }

    private void addTo(Array to, int atTo, double factor, Array from, int atFrom) {
        for (int i = 0; i < width; i++) {
            to.values()[atTo + i] += factor * from.values()[atFrom + i];
        }
    }
}
