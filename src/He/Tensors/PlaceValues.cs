using System.Collections;
using System.Numerics;
using ActorTrainer.He.Backends;

namespace ActorTrainer.He.Tensors;

/// <summary>A plain number for each place, the same for all tokens and examples, without a copy for each slot.</summary>
internal sealed class PlaceValues(Packing packing, IReadOnlyList<double> values) : IReadOnlyList<Complex>
{
    public int Count => packing.Slots;

    public Complex this[int slot] => values[slot / packing.PlaceStride];

    public PlainVector ToVector() => new(this, packing.PlaceStride);

    public IEnumerator<Complex> GetEnumerator() => Enumerable.Range(0, Count).Select(slot => this[slot]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
