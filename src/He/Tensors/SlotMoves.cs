using System.Collections;
using System.Numerics;
using ActorTrainer.He.Backends;

namespace ActorTrainer.He.Tensors;

/// <summary>A map that moves slots, by its diagonals of zeros and ones: y[to] = x[from] for every move, zero elsewhere.</summary>
public sealed class SlotMoves(int slots)
{
    private readonly SortedDictionary<int, byte[]> _masks = [];

    /// <summary>y[to] = x[from].</summary>
    public void Add(int to, int from)
    {
        // Shifts around zero instead of nearly a whole turn: neighbours share baby steps.
        var shift = (from - to + slots) % slots;
        shift = shift > slots / 2 ? shift - slots : shift;
        if (!_masks.TryGetValue(shift, out var mask))
        {
            _masks.Add(shift, mask = new byte[slots]);
        }

        mask[to] = 1;
    }

    /// <summary>Diagonals by shift, as operands of a program.</summary>
    public IReadOnlyDictionary<int, PlainVector> ToDiagonals() => _masks.ToDictionary(entry => entry.Key, entry => new PlainVector(new Mask(entry.Value)));

    /// <summary>A byte a slot.</summary>
    private sealed class Mask(byte[] ones) : IReadOnlyList<Complex>
    {
        public int Count => ones.Length;

        public Complex this[int slot] => ones[slot];

        public IEnumerator<Complex> GetEnumerator() => ones.Select(one => new Complex(one, 0)).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
