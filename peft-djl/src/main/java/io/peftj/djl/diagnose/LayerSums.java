package io.peftj.djl.diagnose;

import io.peftj.core.adapter.BackboneSpec;
import java.util.Arrays;
import java.util.stream.IntStream;

/** The sums over rows of what {@link PrefixDiagnosis.Layer} says of one layer: attention written out in double precision, token by token. */
final class LayerSums {
    private final int heads;
    private final int group;
    private final int headDim;
    private final int virtual;
    private final double[] shares;
    private final double[] bias;
    private double deviation;
    private double outputError;
    private double biasLengths;
    private double biasCosines;
    private double outputLengths;
    private double drift;

    /**
     * Nothing yet.
     *
     * @param virtual how many of a row's tokens are the adapter's own
     */
    LayerSums(BackboneSpec spec, int virtual) {
        this.heads = spec.heads();
        this.group = spec.heads() / spec.keyValueHeads();
        this.headDim = spec.headDim();
        this.virtual = virtual;
        this.shares = new double[heads];
        this.bias = new double[heads * headDim];
    }

    void addDrift(double ofRow) {
        drift += ofRow;
    }

    /** Adds a row: its real tokens' queries over what stands before, and over its real tokens. */
    void add(Overheard.Attention attention) {
        int tokens = attention.q().length / (heads * headDim);
        for (int token = virtual; token < tokens; token++) {
            double[] biasOfToken = new double[heads * headDim];
            double[] outputOfToken = new double[heads * headDim];
            for (int head = 0; head < heads; head++) {
                add(attention, token, head, biasOfToken, outputOfToken);
            }
            for (int i = 0; i < bias.length; i++) {
                bias[i] += biasOfToken[i];
            }
            biasLengths += length(biasOfToken);
            outputLengths += length(outputOfToken);
            biasCosines += cosine(biasOfToken, outputOfToken);
        }
    }

    /** One query: biasOfToken gets a'·(values before), outputOfToken what the head would give without these. */
    private void add(Overheard.Attention attention, int token, int head, double[] biasOfToken, double[] outputOfToken) {
        int keyHeads = heads / group;
        int tokens = attention.k().length / (keyHeads * headDim);
        int prefix = attention.prefixKeys().length / (keyHeads * headDim);
        int before = prefix + virtual;
        int own = (attention.causal() ? token + 1 : tokens) - virtual;
        double[] scores = new double[before + own];
        for (int key = 0; key < scores.length; key++) {
            double product = 0;
            for (int i = 0; i < headDim; i++) {
                product += attention.q()[(token * heads + head) * headDim + i] * key(attention, prefix, key, head, i);
            }
            scores[key] = attention.scale() * product;
        }
        double[] together = softmax(scores, 0);
        double[] alone = softmax(scores, before);
        double share = Arrays.stream(together, 0, before).sum();
        shares[head] += share;
        for (int key = before; key < scores.length; key++) {
            deviation = Math.max(deviation, Math.abs(together[key] - alone[key] * (1 - share)));
        }
        for (int i = 0; i < headDim; i++) {
            int at = head * headDim + i;
            double kept = 0;
            for (int key = 0; key < scores.length; key++) {
                double value = value(attention, prefix, key, head, i);
                if (key < before) {
                    biasOfToken[at] += together[key] * value;
                } else {
                    outputOfToken[at] += alone[key] * value;
                    kept += together[key] * value;
                }
            }
            double out = attention.out()[token * heads * headDim + at];
            outputError = Math.max(outputError, Math.abs(biasOfToken[at] + kept - out));
        }
    }

    /** Of the prefix's keys, then of the row's, virtual tokens first. */
    private double key(Overheard.Attention attention, int prefix, int key, int head, int i) {
        return key < prefix
                ? attention.prefixKeys()[at(key, head, i)]
                : attention.k()[at(key - prefix, head, i)];
    }

    private double value(Overheard.Attention attention, int prefix, int key, int head, int i) {
        return key < prefix
                ? attention.prefixValues()[at(key, head, i)]
                : attention.v()[at(key - prefix, head, i)];
    }

    private int at(int key, int head, int i) {
        return (key * (heads / group) + head / group) * headDim + i;
    }

    /** Softmax from a place on, with zeros before it. */
    private static double[] softmax(double[] scores, int from) {
        double largest = Arrays.stream(scores, from, scores.length).max().orElse(0);
        double[] weights = new double[scores.length];
        double sum = 0;
        for (int i = from; i < scores.length; i++) {
            weights[i] = Math.exp(scores[i] - largest);
            sum += weights[i];
        }
        for (int i = from; i < scores.length; i++) {
            weights[i] /= sum;
        }
        return weights;
    }

    /** 0 where either is nothing. */
    private static double cosine(double[] one, double[] two) {
        double lengths = length(one) * length(two);
        return lengths == 0
                ? 0
                : IntStream.range(0, one.length)
                                .mapToDouble(i -> one[i] * two[i])
                                .sum()
                        / lengths;
    }

    private static double length(double[] vector) {
        return Math.sqrt(Arrays.stream(vector).map(x -> x * x).sum());
    }

    PrefixDiagnosis.Layer means(int layer, long tokens) {
        return new PrefixDiagnosis.Layer(
                layer,
                deviation,
                outputError,
                Arrays.stream(shares).sum() / heads / tokens,
                Arrays.stream(shares).max().orElse(0) / tokens,
                biasLengths / outputLengths,
                biasLengths == 0 ? 0 : length(bias) / biasLengths,
                biasCosines / tokens,
                drift / tokens);
    }
}
