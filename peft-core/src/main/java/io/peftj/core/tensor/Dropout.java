package io.peftj.core.tensor;

/**
 * Which elements a dropout keeps, as a pure function of keys: element [token, feature] is dropped where the draw of (tokenKeys[token], site,
 * feature) falls below thresholds[token], a probability in units of 1/65536.
 *
 * <p>Keys say who is meant (run, step, adapter, example, token), never where in a batch it stands, so a mixed batch draws what a solo run draws and
 * a replay what the first pass drew. See {@link CounterRandom} for the draw itself.
 *
 * @param tokenKeys a 64-bit key a token
 * @param thresholds the probability of dropping, a token, times 65536; 0 keeps all
 * @param site tells the places in a model apart
 */
public record Dropout(Index tokenKeys, Index thresholds, long site) {
    /** A probability in units of 1/65536, as {@code thresholds} wants it. */
    public static long threshold(double probability) {
        if (!(probability >= 0 && probability < 1)) {
            throw new IllegalArgumentException("a dropout probability is at least 0 and under 1, found " + probability);
        }
        return Math.min(65535, Math.round(probability * 65536));
    }

    /** The same tokens at another place in the model. */
    public Dropout at(long otherSite) {
        return new Dropout(tokenKeys, thresholds, otherSite);
    }
}
