package io.peftj.testkit.operation;

import io.peftj.core.tensor.AttentionPrefix;
import io.peftj.core.tensor.Layout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Attention over equal and ragged rows, causal and not, with grouped heads and prefixes. */
final class AttentionOperations {
    private static final int[][] LAYOUTS = {{3, 3}, {1}, {1, 1, 1}, {1, 3, 3, 2}, {4, 2}};

    private AttentionOperations() {}

    static List<Operation> all() {
        List<Operation> cases = new ArrayList<>();
        for (boolean causal : new boolean[] {true, false}) {
            for (int[] rows : LAYOUTS) {
                cases.add(attention(rows, 2, 2, 4, causal));
            }
            cases.add(attention(new int[] {3, 3}, 4, 2, 4, causal));
            cases.add(attention(new int[] {2, 4, 1}, 6, 2, 4, causal));
            cases.add(attention(new int[] {4}, 4, 1, 4, causal));
            for (int headDim : new int[] {8, 12, 16, 48, 64}) {
                cases.add(attention(new int[] {2, 3}, 2, 1, headDim, causal));
            }
            cases.add(attention(new int[] {3, 3}, 2, 2, 4, causal, new Range(0, 6, 2)));
            cases.add(attention(new int[] {1, 3, 2}, 4, 2, 8, causal, new Range(1, 4, 3)));
            cases.add(attention(new int[] {2, 2, 3, 1}, 4, 2, 12, causal, new Range(0, 2, 1), new Range(4, 8, 3)));
            cases.add(attention(new int[] {2, 2, 2}, 2, 1, 16, causal, new Range(2, 6, 4), new Range(0, 2, 4)));
        }
        return cases;
    }

    static List<Operation> large() {
        List<Operation> cases = new ArrayList<>();
        for (boolean causal : new boolean[] {true, false}) {
            cases.add(attention(new int[] {70}, 3, 3, 16, causal));
            cases.add(attention(new int[] {40, 40, 33}, 4, 2, 64, causal));
            cases.add(attention(new int[] {40, 40, 33}, 4, 2, 8, causal, new Range(40, 113, 20)));
        }
        cases.add(attention(new int[] {3, 520}, 2, 1, 8, true));
        return cases;
    }

    /** Tokens [begin, end) see a prefix of a length. */
    private record Range(int begin, int end, int length) {}

    private static Operation attention(
            int[] rows, int heads, int kvHeads, int headDim, boolean causal, Range... prefixes) {
        int tokens = Arrays.stream(rows).sum();
        Operation operation = Operation.named((causal ? "causal" : "full") + " attention of rows "
                        + Arrays.toString(rows) + ", " + heads + " heads over " + kvHeads + ", dimension " + headDim
                        + (prefixes.length == 0 ? "" : ", prefixes " + Arrays.toString(prefixes)))
                .input("q", tokens, heads, headDim)
                .input("k", tokens, kvHeads, headDim)
                .input("v", tokens, kvHeads, headDim);
        for (int i = 0; i < prefixes.length; i++) {
            operation.input("prefix keys " + i, prefixes[i].length(), kvHeads, headDim);
            operation.input("prefix values " + i, prefixes[i].length(), kvHeads, headDim);
        }
        return operation.computes(o -> {
            List<AttentionPrefix> given = new ArrayList<>();
            for (int i = 0; i < prefixes.length; i++) {
                given.add(new AttentionPrefix(
                        prefixes[i].begin(),
                        prefixes[i].end(),
                        o.get("prefix keys " + i),
                        o.get("prefix values " + i)));
            }
            Layout layout = Layout.of(o.session(), rows);
            return o.get("q").attention(o.get("k"), o.get("v"), layout, causal, 1 / Math.sqrt(headDim), given);
        });
    }
}
