package io.peftj.core.io.gguf;

import com.google.gson.JsonArray;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The pairs that a SentencePiece vocabulary with scores means: every way to make a token of two others, that of the best token first. What SentencePiece
 * does by scores, Hugging Face's tokenizers do by the order of pairs.
 */
record ScoredMerge(String left, String right, int leftId, int rightId, double score) {
    /** In the order that transformers' converter gives them. */
    static JsonArray of(List<String> tokens, Map<String, Integer> ids, List<Double> scores) {
        List<ScoredMerge> all = new ArrayList<>();
        for (int id = 0; id < tokens.size(); id++) {
            String token = tokens.get(id);
            List<ScoredMerge> ofToken = new ArrayList<>();
            for (int at = 1; at < token.length(); at++) {
                String left = token.substring(0, at);
                String right = token.substring(at);
                Integer leftId = ids.get(left);
                Integer rightId = ids.get(right);
                if (leftId != null && rightId != null) {
                    ofToken.add(new ScoredMerge(left, right, leftId, rightId, scores.get(id)));
                }
            }
            ofToken.sort(Comparator.comparingInt(ScoredMerge::leftId).thenComparingInt(ScoredMerge::rightId));
            all.addAll(ofToken);
        }
        all.sort(Comparator.comparingDouble(ScoredMerge::score)
                .thenComparingInt(merge -> merge.left().length())
                .thenComparingInt(merge -> merge.right().length())
                .reversed());
        JsonArray pairs = new JsonArray();
        all.forEach(merge -> pairs.add(TokenizerJson.array(merge.left(), merge.right())));
        return pairs;
    }
}
