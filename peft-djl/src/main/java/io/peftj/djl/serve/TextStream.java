package io.peftj.djl.serve;

import io.peftj.djl.backbone.Tokenizer;
import java.util.Arrays;
import java.util.List;

/**
 * Makes text of tokens that come one by one, as soon as it is certain: a character may take several tokens, and what may be the beginning of a stop text is
 * held back.
 */
final class TextStream {
    /** What bytes that are no character, or not yet a whole one, are decoded to. */
    private static final char INCOMPLETE = '\uFFFD';

    /** Tokens that are decoded together, before all but the last are let go. */
    private static final int WINDOW = 16;

    private final Tokenizer tokenizer;
    private final List<String> stops;
    private final StringBuilder text = new StringBuilder();
    private int[] window = {};
    private int known;
    private String held = "";
    private boolean stopped;

    /** A stream that ends before the first of these texts. */
    TextStream(Tokenizer tokenizer, List<String> stops) {
        this.tokenizer = tokenizer;
        this.stops = stops;
    }

    /** Takes one more token and gives the text that is certain now, which may be none. */
    String add(int token) {
        window = Arrays.copyOf(window, window.length + 1);
        window[window.length - 1] = token;
        String decoded = tokenizer.decode(window);
        int whole = decoded.length();
        while (whole > 0 && decoded.charAt(whole - 1) == INCOMPLETE) {
            whole--;
        }
        String piece = decoded.substring(Math.min(known, whole), whole);
        known = Math.max(known, whole);
        if (window.length >= WINDOW && whole == decoded.length()) {
            letGo(decoded, token);
        }
        return release(piece);
    }

    /** The last token alone stays, to tell whether a space belongs before the next; unless it means something else without those before. */
    private void letGo(String decoded, int last) {
        String alone = tokenizer.decode(last);
        if (!alone.isEmpty() && alone.indexOf(INCOMPLETE) < 0 && decoded.endsWith(alone)) {
            window = new int[] {last};
            known = alone.length();
        }
    }

    /** Whether a stop text was reached. */
    boolean isStopped() {
        return stopped;
    }

    /** Gives what was held back, when no further token comes. */
    String end() {
        String decoded = tokenizer.decode(window);
        String rest = release(decoded.substring(Math.min(known, decoded.length())));
        if (stopped) {
            return rest;
        }
        text.append(held);
        return rest + held;
    }

    /** All the text that was given. */
    String text() {
        return text.toString();
    }

    private String release(String piece) {
        if (stopped) {
            return "";
        }
        String all = held + piece;
        int end = stops.stream()
                .mapToInt(all::indexOf)
                .filter(at -> at >= 0)
                .min()
                .orElse(-1);
        stopped = end >= 0;
        String certain = all.substring(0, stopped ? end : all.length() - beginningOfStop(all));
        held = stopped ? "" : all.substring(certain.length());
        text.append(certain);
        return certain;
    }

    /** How many characters at the end of a text are the beginning of a stop text, the most there are. */
    private int beginningOfStop(String all) {
        int most = 0;
        for (String stop : stops) {
            for (int length = Math.min(all.length(), stop.length() - 1); length > most; length--) {
                if (all.endsWith(stop.substring(0, length))) {
                    most = length;
                }
            }
        }
        return most;
    }
}
