package io.peftj.core.io.torch;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.NearNames;
import io.peftj.core.io.StoredType;
import io.peftj.core.tensor.Shape;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The part of Python's pickle, protocol 2, that a state_dict is written in: a program for a machine with a stack and a memo, here with nothing to call
 * but the making of dictionaries and tensors.
 */
final class StateDictPickle {
    private static final String ORDERED_DICT = "collections OrderedDict";
    private static final String TENSOR = "torch._utils _rebuild_tensor_v2";
    private static final String PARAMETER = "torch._utils _rebuild_parameter";
    private static final Map<String, StoredType> STORAGES = Map.of(
            "torch DoubleStorage", StoredType.F64,
            "torch FloatStorage", StoredType.F32,
            "torch HalfStorage", StoredType.F16,
            "torch BFloat16Storage", StoredType.BF16,
            "torch LongStorage", StoredType.I64,
            "torch IntStorage", StoredType.I32,
            "torch ShortStorage", StoredType.I16,
            "torch CharStorage", StoredType.I8,
            "torch ByteStorage", StoredType.U8,
            "torch BoolStorage", StoredType.BOOL);

    private final ByteBuffer program;
    private final String source;
    private final List<Object> stack = new ArrayList<>();
    private final Deque<Integer> marks = new ArrayDeque<>();
    private final Map<Integer, Object> memo = new HashMap<>();

    /** Numbers in a file's entry data/key. */
    record Storage(String key, StoredType type, long elements) {}

    /** What is looked at as a tensor of a storage. */
    record View(Storage storage, long offset, List<Long> sizes, List<Long> strides) {
        Shape shape() {
            return Shape.of(sizes.stream().mapToInt(Math::toIntExact).toArray());
        }

        /** The bytes of the elements, the last axis fastest. */
        byte[] rowMajor(byte[] storageBytes) {
            int width = storage.type().bytes();
            int count = (int) sizes.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
            byte[] elements = new byte[count * width];
            long[] index = new long[sizes.size()];
            for (int i = 0; i < count; i++) {
                long at = offset;
                for (int axis = 0; axis < index.length; axis++) {
                    at += index[axis] * strides.get(axis);
                }
                System.arraycopy(storageBytes, (int) at * width, elements, i * width, width);
                for (int axis = index.length - 1; axis >= 0 && ++index[axis] == sizes.get(axis); axis--) {
                    index[axis] = 0;
                }
            }
            return elements;
        }
    }

    /** A name to be called, or a type. */
    private record Global(String name) {}

    private enum Nothing {
        NONE
    }

    StateDictPickle(byte[] program, String source) {
        this.program = ByteBuffer.wrap(program).order(ByteOrder.LITTLE_ENDIAN);
        this.source = source;
    }

    /**
     * Runs the program.
     *
     * @throws InvalidFileException if it is no dictionary of tensors
     */
    Map<String, View> read() {
        Object result;
        try {
            result = run();
        } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
            throw new InvalidFileException(
                    source
                            + ": expected a whole pickle, found one that breaks off or is damaged; copy or save it again",
                    e);
        }
        if (!(result instanceof Map<?, ?> dictionary)) {
            throw wrong("a dictionary of tensors", describe(result));
        }
        Map<String, View> tensors = new LinkedHashMap<>();
        dictionary.forEach((name, value) -> {
            if (!(name instanceof String text) || !(value instanceof View view)) {
                throw wrong("tensors by name", describe(value) + " under " + describe(name));
            }
            tensors.put(text, view);
        });
        return tensors;
    }

    private Object run() {
        while (true) {
            int code = program.get() & 0xFF;
            switch (code) {
                case 0x80 -> program.get(); // PROTO
                case '.' -> {
                    return pop();
                }
                case '(' -> marks.push(stack.size());
                case ')' -> stack.add(List.of());
                case '}' -> stack.add(new LinkedHashMap<>());
                case 'N' -> stack.add(Nothing.NONE);
                case 0x88 -> stack.add(true);
                case 0x89 -> stack.add(false);
                case 'K' -> stack.add((long) (program.get() & 0xFF));
                case 'M' -> stack.add((long) (program.getShort() & 0xFFFF));
                case 'J' -> stack.add((long) program.getInt());
                case 0x8A -> stack.add(longer(program.get() & 0xFF));
                case 'X' -> stack.add(text(program.getInt()));
                case 'c' -> stack.add(new Global(line() + " " + line()));
                case 'q' -> memo.put(program.get() & 0xFF, peek());
                case 'r' -> memo.put(program.getInt(), peek());
                case 'h' -> stack.add(remembered(program.get() & 0xFF));
                case 'j' -> stack.add(remembered(program.getInt()));
                case 't' -> stack.add(sinceMark());
                case 0x85 -> stack.add(last(1));
                case 0x86 -> stack.add(last(2));
                case 0x87 -> stack.add(last(3));
                case 's' -> setItems(last(2));
                case 'u' -> setItems(sinceMark());
                case 'Q' -> stack.add(storage(pop()));
                case 'R' -> {
                    Object arguments = pop();
                    stack.add(call(pop(), arguments));
                }
                case 'b' -> pop(); // attributes of a dictionary, such as versions: no tensors
                default -> throw wrong("the pickle of a state_dict", "the opcode " + code);
            }
        }
    }

    // ---- what may be called ----

    private Object call(Object callee, Object arguments) {
        List<Object> given = tuple(arguments);
        String name = callee instanceof Global global ? global.name() : describe(callee);
        return switch (name) {
            case ORDERED_DICT -> new LinkedHashMap<>();
            case TENSOR -> view(given);
            case PARAMETER -> given.get(0);
            default ->
                throw new InvalidFileException(source
                        + ": expected a state_dict of tensors, found a pickle that calls \"" + NearNames.shorten(name)
                        + "\", which is not done; save the module's state_dict() alone");
        };
    }

    /** ("storage", type, key, device, elements). */
    private Storage storage(Object id) {
        List<Object> parts = tuple(id);
        String type = parts.get(1) instanceof Global global ? global.name() : describe(parts.get(1));
        StoredType known = STORAGES.get(type);
        if (known == null || !(parts.get(2) instanceof String key)) {
            throw wrong(
                    "numbers of one of " + STORAGES.keySet().stream().sorted().toList(), NearNames.shorten(type));
        }
        return new Storage(key, known, atLeastZero(parts.get(4)));
    }

    /** (storage, offset, sizes, strides, …). */
    private View view(List<Object> arguments) {
        if (!(arguments.get(0) instanceof Storage storage)) {
            throw wrong("a tensor's storage", describe(arguments.get(0)));
        }
        long offset = atLeastZero(arguments.get(1));
        List<Long> sizes =
                tuple(arguments.get(2)).stream().map(this::atLeastZero).toList();
        List<Long> strides =
                tuple(arguments.get(3)).stream().map(this::atLeastZero).toList();
        if (!sizes.contains(0L) && !isInside(storage, offset, sizes, strides)) {
            throw wrong(
                    "a tensor inside its storage of " + storage.elements(),
                    "sizes " + sizes + ", strides " + strides + " from " + offset);
        }
        return new View(storage, offset, sizes, strides);
    }

    private static boolean isInside(Storage storage, long offset, List<Long> sizes, List<Long> strides) {
        long count = 1;
        long last = offset;
        for (int axis = 0; axis < sizes.size(); axis++) {
            count *= sizes.get(axis);
            last += (sizes.get(axis) - 1) * strides.get(axis);
            if (count > storage.elements() || last >= storage.elements()) {
                return false;
            }
        }
        return last < storage.elements();
    }

    @SuppressWarnings("unchecked") // the machine's own dictionaries
    private void setItems(List<Object> items) {
        if (!(peek() instanceof Map<?, ?> dictionary)) {
            throw wrong("a dictionary to put things into", describe(peek()));
        }
        for (int i = 0; i + 1 < items.size(); i += 2) {
            ((Map<Object, Object>) dictionary).put(hashable(items.get(i)), items.get(i + 1));
        }
    }

    private Object hashable(Object key) {
        if (!(key instanceof String)) {
            throw wrong("names", describe(key));
        }
        return key;
    }

    // ---- the stack ----

    private Object peek() {
        return stack.get(stack.size() - 1);
    }

    private Object pop() {
        return stack.remove(stack.size() - 1);
    }

    private List<Object> last(int count) {
        return cut(stack.size() - count);
    }

    private List<Object> sinceMark() {
        @Nullable Integer mark = marks.poll();
        if (mark == null) {
            throw wrong("a mark", "none");
        }
        return cut(mark);
    }

    private List<Object> cut(int from) {
        if (from > stack.size()) {
            throw wrong("a mark below the top of the stack", "one above it");
        }
        List<Object> end = stack.subList(from, stack.size());
        List<Object> items = List.copyOf(end);
        end.clear();
        return items;
    }

    private Object remembered(int number) {
        @Nullable Object value = memo.get(number);
        if (value == null) {
            throw wrong("something remembered as " + number, "nothing");
        }
        return value;
    }

    // ---- the program ----

    private String text(int length) {
        if (length < 0 || length > program.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        program.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private String line() {
        StringBuilder line = new StringBuilder();
        for (byte b = program.get(); b != '\n'; b = program.get()) {
            line.append((char) b);
        }
        return line.toString();
    }

    private long longer(int length) {
        if (length > Long.BYTES) {
            throw wrong("a number of 64 bits", "one of " + 8 * length);
        }
        long value = 0;
        for (int i = 0; i < length; i++) {
            long part = i == length - 1 ? program.get() : program.get() & 0xFF;
            value |= part << (8 * i);
        }
        return value;
    }

    // ---- types ----

    @SuppressWarnings("unchecked") // the machine's own tuples
    private List<Object> tuple(Object value) {
        if (!(value instanceof List)) {
            throw wrong("a tuple", describe(value));
        }
        return (List<Object>) value;
    }

    private long atLeastZero(Object value) {
        if (!(value instanceof Long number) || number < 0 || number > Integer.MAX_VALUE) {
            throw wrong("a number from 0 to " + Integer.MAX_VALUE, describe(value));
        }
        return number;
    }

    /** Says nothing of what containers hold: that may be themselves. */
    private static String describe(Object value) {
        if (value instanceof Map) {
            return "a dictionary";
        }
        return value instanceof List ? "a tuple" : NearNames.shorten(String.valueOf(value));
    }

    private InvalidFileException wrong(String expected, String found) {
        return new InvalidFileException(
                source + ": expected " + expected + ", found " + found + "; save the module's state_dict() alone");
    }
}
