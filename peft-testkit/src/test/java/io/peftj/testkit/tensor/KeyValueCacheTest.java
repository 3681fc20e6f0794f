package io.peftj.testkit.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.KeyValueCache;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.testkit.FaultyBackend;
import io.peftj.testkit.FaultyBackend.InjectedFault;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KeyValueCacheTest {
    /** Two slots of four tokens, one head of width 2. */
    private static final Shape SHAPE = Shape.of(2, 1, 4, 2);

    private final ReferenceBackend backend = ReferenceBackend.rounding();

    @AfterEach
    void nothingIsLeft() {
        assertThat(backend.memory().liveBytes()).isZero();
    }

    private KeyValueCache open(DType dtype) {
        return KeyValueCache.open(backend, 1, SHAPE, dtype);
    }

    private static CacheLayout rows(Session session, int length, int slot, int before) {
        return CacheLayout.of(session, Layout.of(session, length), new int[] {slot}, new int[] {before});
    }

    private static Tensor ones(Session session, int tokens) {
        return session.tensor(HostTensor.filled(Shape.of(tokens, 1, 2), 1));
    }

    @Test
    void itsBytesAreCountedAndGivenBack() {
        try (KeyValueCache cache = KeyValueCache.open(backend, 3, SHAPE, DType.F32)) {
            // Three layers of keys and values, in the reference's doubles.
            assertThat(backend.memory().liveBytes()).isEqualTo(3 * 2 * 16 * Double.BYTES);
            assertThat(cache.slots()).isEqualTo(2);
            assertThat(cache.capacity()).isEqualTo(4);
        }
    }

    @Test
    void openingThatFailsLeavesNothing() {
        for (int call = 0; call < 6; call++) {
            FaultyBackend failing = FaultyBackend.failingAt(backend, call);
            assertThatThrownBy(() -> KeyValueCache.open(failing, 3, SHAPE, DType.F32))
                    .isInstanceOf(InjectedFault.class);
            assertThat(backend.memory().liveBytes()).isZero();
        }
    }

    @Test
    void rowsThatDoNotFitAreRefused() {
        try (KeyValueCache cache = open(DType.F32);
                Session session = Session.open(backend)) {
            assertThatThrownBy(() -> cache.store(0, ones(session, 3), ones(session, 3), rows(session, 3, 1, 2)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("store: row 0 of 5 tokens in slot 1 does not fit a cache of 2 slots for 4 tokens each");
            assertThatThrownBy(() -> ones(session, 1).attention(cache, 0, rows(session, 1, 2, 0), 1, List.of()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "attention: row 0 of 1 tokens in slot 2 does not fit a cache of 2 slots for 4 tokens each");
        }
    }

    @Test
    void otherFormatsAndShapesAreRefused() {
        try (KeyValueCache cache = open(DType.BF16);
                Session session = Session.open(backend)) {
            assertThatThrownBy(() -> cache.store(0, ones(session, 1), ones(session, 1), rows(session, 1, 0, 0)))
                    .hasMessage("store: the keys are F32, the cache BF16");
            assertThatThrownBy(() -> cache.store(0, ones(session, 2), ones(session, 2), rows(session, 1, 0, 0)))
                    .hasMessage("store: keys should have shape [1, 1, 2], found [2, 1, 2]");
            assertThatThrownBy(() -> ones(session, 1).attention(cache, 0, rows(session, 1, 0, 0), 1, List.of()))
                    .hasMessageContaining("queries Tensor[1, 1, 2] F32 do not fit a layout of 1 tokens over a cache"
                            + " [2, 1, 4, 2] BF16");
        }
    }

    @Test
    void twoRowsInOneSlotAreRefused() {
        try (Session session = Session.open(backend)) {
            Layout two = Layout.of(session, 1, 1);
            assertThatThrownBy(() -> CacheLayout.of(session, two, new int[] {1, 1}, new int[] {0, 0}))
                    .hasMessage("two rows of a pass share a slot; give each its own");
            assertThatThrownBy(() -> CacheLayout.of(session, two, new int[] {1}, new int[] {0, 0}))
                    .hasMessageContaining("2 rows were given 1 slots");
            assertThatThrownBy(() -> CacheLayout.of(session, two, new int[] {0, 1}, new int[] {0, -1}))
                    .hasMessageContaining("row 1 has slot 1 and -1 tokens before");
        }
    }

    @Test
    void gradientsAreRefusedRatherThanLost() {
        try (KeyValueCache cache = open(DType.F32);
                Session session = Session.open(backend);
                Tape tape = session.startTape()) {
            Tensor leaf = tape.leaf(ones(session, 1));
            CacheLayout rows = rows(session, 1, 0, 0);
            assertThatThrownBy(() -> cache.store(0, leaf, ones(session, 1), rows))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage(
                            "store: no gradient flows through a key-value cache; train with whole rows, without one");
            assertThatThrownBy(() -> leaf.attention(cache, 0, rows, 1, List.of()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("attention: no gradient flows through a key-value cache");
        }
    }

    @Test
    void aClosedCacheSaysSo() {
        KeyValueCache cache = open(DType.F32);
        cache.close();
        cache.close();
        try (Session session = Session.open(backend)) {
            assertThatThrownBy(() -> cache.store(0, ones(session, 1), ones(session, 1), rows(session, 1, 0, 0)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("store: the key-value cache is closed");
        }
    }
}
