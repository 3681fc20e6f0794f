package io.peftj.djl.engine;

import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.Index;
import io.peftj.djl.engine.TorchCalls.PutOff;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Calls in their order as the text of a method that makes them all, and what it takes.
 *
 * <p>The text names tensors from elsewhere a0, a1, …; all whole numbers stand in i, all others in f; long lists are l0, l1, …; results are t0, t1, …,
 * and r0, r1, … what has none or several. So calls of other sizes and of other layers have the same text.
 */
final class CallList {
    /** Longer lists of numbers have arguments of their own, so that the text does not depend on their length. */
    private static final int SHORT_LIST = 8;

    private final List<PutOff> calls = new ArrayList<>();
    private final StringBuilder body = new StringBuilder();
    private final IdentityHashMap<TorchBuffer, Integer> tensors = new IdentityHashMap<>();
    private final List<TorchBuffer> tensorsInOrder = new ArrayList<>();
    private final IdentityHashMap<TorchBuffer, Integer> results = new IdentityHashMap<>();
    private final List<TorchBuffer> resultsInOrder = new ArrayList<>();
    private final Numbers integers = new Numbers();
    private final List<Double> reals = new ArrayList<>();
    private final List<long[]> lists = new ArrayList<>();

    /** For each result the number of the last call that takes it. */
    private final List<Integer> lastUses = new ArrayList<>();

    private int several;

    /** The calls so far. */
    List<PutOff> calls() {
        return calls;
    }

    /** Adds a call whose arguments are alive; tensors from elsewhere are kept until {@link #forget}. */
    void add(PutOff added) {
        TorchBuffer[] of = added.results();
        StringBuilder call =
                new StringBuilder(" = self.").append(added.kernel()).append('(');
        for (int i = 0; i < added.arguments().length; i++) {
            if (i > 0) {
                call.append(", ");
            }
            addArgument(added.kernel(), call, added.arguments()[i]);
        }
        call.append(")\n");
        calls.add(added);
        if (of.length == 1) {
            body.append("  ").append(name(of[0])).append(call);
            return;
        }
        String all = "r" + several++;
        body.append("  ").append(all).append(call);
        for (int i = 0; i < of.length; i++) {
            body.append("  ")
                    .append(name(of[i]))
                    .append(" = ")
                    .append(all)
                    .append('[')
                    .append(i)
                    .append("]\n");
        }
    }

    private String name(TorchBuffer result) {
        String name = "t" + resultsInOrder.size();
        results.put(result, resultsInOrder.size());
        resultsInOrder.add(result);
        lastUses.add(calls.size() - 1);
        return name;
    }

    private void addArgument(String kernel, StringBuilder call, @Nullable Object argument) {
        if (argument == null) {
            call.append("None");
        } else if (argument instanceof Buffer buffer) {
            addTensor(call, TorchBuffer.of(buffer));
        } else if (argument instanceof Index index) {
            addTensor(call, TorchBuffer.of(index.buffer()));
        } else if (argument instanceof Boolean flag) {
            call.append(flag ? "True" : "False");
        } else if (argument instanceof Double real) {
            call.append("f[").append(reals.size()).append(']');
            reals.add(real);
        } else if (argument instanceof long[] list) {
            addList(call, list);
        } else if (argument instanceof List<?> buffers) {
            addTensors(call, buffers);
        } else if (argument instanceof Integer || argument instanceof Long) {
            call.append("i[")
                    .append(integers.add(((Number) argument).longValue()))
                    .append(']');
        } else {
            throw Arguments.unknown(kernel, argument);
        }
    }

    private void addTensor(StringBuilder call, TorchBuffer buffer) {
        Integer result = results.get(buffer);
        if (result != null) {
            call.append('t').append(result);
            lastUses.set(result, calls.size());
            return;
        }
        Integer given = tensors.get(buffer);
        if (given == null) {
            given = tensorsInOrder.size();
            buffer.retain(); // their owners may let go before the call is made
            tensors.put(buffer, given);
            tensorsInOrder.add(buffer);
        }
        call.append('a').append(given);
    }

    private void addTensors(StringBuilder call, List<?> buffers) {
        call.append(buffers.isEmpty() ? "annotate(List[Tensor], [" : "[");
        for (int i = 0; i < buffers.size(); i++) {
            if (i > 0) {
                call.append(", ");
            }
            addTensor(call, TorchBuffer.of((Buffer) buffers.get(i)));
        }
        call.append(buffers.isEmpty() ? "])" : "]");
    }

    private void addList(StringBuilder call, long[] list) {
        if (list.length > SHORT_LIST) {
            call.append('l').append(lists.size());
            lists.add(list);
            return;
        }
        int from = integers.size();
        for (long number : list) {
            integers.add(number);
        }
        call.append("i[").append(from).append(':').append(from + list.length).append(']');
    }

    /** The results that somebody still owns. */
    List<TorchBuffer> wanted() {
        return resultsInOrder.stream().filter(TorchBuffer::isAlive).toList();
    }

    /** The others, by the call behind which nothing takes them any more. */
    List<List<TorchBuffer>> unownedByLastUse() {
        List<List<TorchBuffer>> unowned = new ArrayList<>();
        for (int i = 0; i < calls.size(); i++) {
            unowned.add(new ArrayList<>());
        }
        for (int i = 0; i < resultsInOrder.size(); i++) {
            if (!resultsInOrder.get(i).isAlive()) {
                unowned.get(lastUses.get(i)).add(resultsInOrder.get(i));
            }
        }
        return unowned;
    }

    /** The method {@code run}, which returns the wanted results. */
    String text(List<TorchBuffer> wanted) {
        StringBuilder text = new StringBuilder("def run(self, i: List[int], f: List[float]");
        for (int i = 0; i < tensorsInOrder.size(); i++) {
            text.append(", a").append(i).append(": Tensor");
        }
        for (int i = 0; i < lists.size(); i++) {
            text.append(", l").append(i).append(": List[int]");
        }
        text.append(") -> List[Tensor]:\n").append(body).append("  return ");
        text.append(wanted.isEmpty() ? "annotate(List[Tensor], [" : "[");
        for (int i = 0; i < wanted.size(); i++) {
            text.append(i > 0 ? ", t" : "t").append(results.get(wanted.get(i)));
        }
        return text.append(wanted.isEmpty() ? "])\n" : "]\n").toString();
    }

    /** What the method takes besides itself. */
    Object[] arguments() {
        List<Object> all = new ArrayList<>();
        all.add(integers.toArray());
        all.add(reals.stream().mapToDouble(Double::doubleValue).toArray());
        all.addAll(tensorsInOrder);
        all.addAll(lists);
        return all.toArray();
    }

    /** Lets go of everything: results that were not computed never will be. */
    void forget() {
        tensorsInOrder.forEach(Buffer::release);
        resultsInOrder.forEach(TorchBuffer::forget);
    }

    /** A growing list of whole numbers. */
    private static final class Numbers {
        private long[] values = new long[32];
        private int size;

        /** Where it was put. */
        int add(long value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, 2 * size);
            }
            values[size] = value;
            return size++;
        }

        int size() {
            return size;
        }

        long[] toArray() {
            return Arrays.copyOf(values, size);
        }
    }
}
