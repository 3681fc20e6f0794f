package io.peftj.djl.engine;

import ai.djl.pytorch.jni.IValue;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.Deferral;
import io.peftj.core.tensor.Index;
import io.peftj.djl.engine.TorchCalls.PutOff;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Calls of one thread that were put off, as the text of a method that makes them all.
 *
 * <p>A call from Java costs libtorch's work some ten microseconds, of which a pass over few tokens makes hundreds. Results that nobody owns any more
 * when the method runs never leave it.
 */
final class Recording implements Deferral {
    /** Longer lists of numbers have arguments of their own, so that the text does not depend on their length. */
    private static final int SHORT_LIST = 8;

    /** Fewer calls are not worth compiling. */
    private static final int FEWEST = 3;

    private final TorchCalls calls;
    private final Programs programs;
    private final Thread owner = Thread.currentThread();
    private List<PutOff> putOff = new ArrayList<>();
    private Method method = new Method();

    Recording(TorchCalls calls, Programs programs) {
        this.calls = calls;
        this.programs = programs;
    }

    /** Puts a call off. */
    void add(PutOff call) {
        checkOwner();
        Arguments.checkAlive(call.kernel(), call.arguments()); // which also uploads indices, before anything is noted
        method.add(call);
        putOff.add(call);
        for (TorchBuffer result : call.results()) {
            result.waitFor(this);
        }
    }

    @Override
    public void catchUp() {
        checkOwner();
        if (putOff.isEmpty()) {
            return;
        }
        List<PutOff> now = putOff;
        Method as = method;
        putOff = new ArrayList<>();
        method = new Method();
        try {
            List<TorchBuffer> wanted = as.wanted();
            Script program = now.size() < FEWEST ? null : programs.of(as.text(wanted));
            if (program == null || !as.run(program, wanted)) {
                oneByOne(now, as);
            }
        } finally {
            as.forget();
        }
    }

    private void oneByOne(List<PutOff> now, Method as) {
        // Their owners let go of some results before they were there: those are freed behind their last use.
        List<List<TorchBuffer>> unowned = as.unownedByLastUse(now.size());
        try {
            for (int i = 0; i < now.size(); i++) {
                calls.compute(now.get(i));
                unowned.get(i).forEach(TorchBuffer::discard);
            }
        } catch (RuntimeException e) {
            unowned.forEach(buffers -> buffers.forEach(TorchBuffer::discard));
            throw e;
        }
    }

    @Override
    public void close() {
        checkOwner();
        putOff = new ArrayList<>();
        method.forget();
        method = new Method();
        calls.endRecording();
    }

    private void checkOwner() {
        if (Thread.currentThread() != owner) {
            throw new IllegalStateException("what the thread " + owner.getName() + " put off was needed by "
                    + Thread.currentThread().getName());
        }
    }

    /** The text so far and what it refers to: tensors as a0, a1, …; all numbers in i and f; long lists as l0, l1, …; results as t0, t1, …; tuples and lists of
     * them, and what has no result that matters, as r0, r1, …. */
    private final class Method {
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

        private int count;
        private int several;

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
            count++;
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
            lastUses.add(count - 1);
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
                lastUses.set(result, count);
                return;
            }
            Integer given = tensors.get(buffer);
            if (given == null) {
                given = tensorsInOrder.size();
                buffer.retain(); // until the method has run
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
            call.append("i[")
                    .append(from)
                    .append(':')
                    .append(from + list.length)
                    .append(']');
        }

        /** The results that somebody still owns. */
        List<TorchBuffer> wanted() {
            return resultsInOrder.stream().filter(TorchBuffer::isAlive).toList();
        }

        /** The others, by the call behind which nothing takes them any more. */
        List<List<TorchBuffer>> unownedByLastUse(int calls) {
            List<List<TorchBuffer>> unowned = new ArrayList<>();
            for (int i = 0; i < calls; i++) {
                unowned.add(new ArrayList<>());
            }
            for (int i = 0; i < resultsInOrder.size(); i++) {
                if (!resultsInOrder.get(i).isAlive()) {
                    unowned.get(lastUses.get(i)).add(resultsInOrder.get(i));
                }
            }
            return unowned;
        }

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

        /** Runs the compiled text; false if it failed, which calls made one by one explain better. */
        boolean run(Script program, List<TorchBuffer> wanted) {
            List<IValue> made = new ArrayList<>();
            try {
                IValue[] values = new IValue[2 + tensorsInOrder.size() + lists.size()];
                made.add(IValue.listFrom(integers.toArray()));
                made.add(IValue.listFrom(
                        reals.stream().mapToDouble(Double::doubleValue).toArray()));
                lists.forEach(list -> made.add(IValue.listFrom(list)));
                values[0] = made.get(0);
                values[1] = made.get(1);
                for (int i = 0; i < tensorsInOrder.size(); i++) {
                    values[2 + i] = tensorsInOrder.get(i).value();
                }
                for (int i = 0; i < lists.size(); i++) {
                    values[2 + tensorsInOrder.size() + i] = made.get(2 + i);
                }
                return calls.compute(program, values, wanted);
            } finally {
                made.forEach(IValue::close);
            }
        }

        /** Lets go of everything: results that were not computed never will be. */
        void forget() {
            tensorsInOrder.forEach(Buffer::release);
            resultsInOrder.forEach(TorchBuffer::forget);
        }
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
