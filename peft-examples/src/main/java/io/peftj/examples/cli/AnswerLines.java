package io.peftj.examples.cli;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import io.peftj.djl.serve.Completion;
import io.peftj.djl.serve.TextListener;
import java.io.PrintWriter;
import java.util.Map;
import java.util.TreeMap;

/** Prints finished texts as lines of JSON, in the order of their prompts, as soon as all before them are finished too; and how far it is. */
final class AnswerLines implements TextListener {
    private static final double SECONDS_BETWEEN_REPORTS = 5;

    private final PromptLines prompts;
    private final PrintWriter out;
    private final PrintWriter err;
    private final Map<Integer, Completion> waiting = new TreeMap<>();
    private final long began = System.nanoTime();
    private double reported;
    private int printed;
    private int done;
    private long tokens;

    AnswerLines(PromptLines prompts, PrintWriter out, PrintWriter err) {
        this.prompts = prompts;
        this.out = out;
        this.err = err;
    }

    @Override
    public void text(int request, String piece) {
        // Whole texts are printed.
    }

    @Override
    public void done(int request, Completion completion) {
        waiting.put(request, completion);
        done++;
        tokens += completion.tokens().size();
        for (Completion next = waiting.remove(printed); next != null; next = waiting.remove(printed)) {
            print(next);
            printed++;
        }
        double now = (System.nanoTime() - began) / 1e9;
        if (done == prompts.requests().size() || now > reported + SECONDS_BETWEEN_REPORTS) {
            reported = now;
            err.printf(
                    "%d of %d texts, %d tokens, %.1f tokens/s%n",
                    done, prompts.requests().size(), tokens, tokens / now);
            err.flush();
        }
    }

    private void print(Completion completion) {
        JsonLine line = new JsonLine();
        JsonElement id = prompts.ids().get(printed);
        if (!id.isJsonNull()) {
            line.put("id", id);
        }
        String adapter = prompts.requests().get(printed).adapter();
        if (adapter == null) {
            line.put("adapter", JsonNull.INSTANCE);
        } else {
            line.put("adapter", adapter);
        }
        line.put("text", completion.text())
                .put("tokens", completion.tokens().size())
                .put("finish_reason", completion.ended() ? "stop" : "length")
                .print(out);
    }
}
