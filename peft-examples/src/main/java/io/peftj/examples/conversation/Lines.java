package io.peftj.examples.conversation;

import io.peftj.djl.serve.Completion;
import io.peftj.djl.serve.TextListener;
import java.io.PrintStream;
import java.util.List;

/** Prints texts that are written side by side one below the other: the first unfinished one as it comes, the others when their turn is. */
final class Lines implements TextListener {
    private final List<String> names;
    private final PrintStream out;
    private final List<StringBuilder> waiting;
    private final boolean[] done;

    /** The text that is being printed. */
    private int current;

    Lines(List<String> names, PrintStream out) {
        this.names = names;
        this.out = out;
        this.waiting = names.stream().map(name -> new StringBuilder()).toList();
        this.done = new boolean[names.size()];
        begin();
    }

    @Override
    public void text(int request, String piece) {
        if (request == current) {
            print(piece);
        } else {
            waiting.get(request).append(piece);
        }
    }

    @Override
    public void done(int request, Completion completion) {
        done[request] = true;
        while (current < names.size() && done[current]) {
            out.println();
            current++;
            begin();
        }
    }

    private void begin() {
        if (current < names.size()) {
            out.printf("%8s: ", names.get(current));
            print(waiting.get(current).toString());
        }
    }

    private void print(String piece) {
        out.print(piece.replace("\n", "\n          "));
        out.flush();
    }
}
