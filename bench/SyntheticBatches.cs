using System.Runtime.InteropServices;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Bench;

/// <summary>
/// Masked batches as a function of their place in the run, shaped as those of <see cref="MlmBatchSource"/>. Small ids are frequent, as in
/// text, so that a model learns something from them; there is no held-out part.
/// </summary>
public sealed class SyntheticBatches(int sequence, int vocabulary, int targetsPerSequence, ulong seed) : IBatchSource
{
    private const int MaskId = 4;
    private const int FirstWord = 5;

    /// <inheritdoc/>
    public int TokensPerSequence => sequence;

    /// <inheritdoc/>
    public int TargetsPerSequence => targetsPerSequence;

    /// <inheritdoc/>
    public long HeldOutSequences => 0;

    /// <inheritdoc/>
    public (IPayload Inputs, IPayload Targets) Take(long first, int rows, long step)
    {
        var inputs = empty([rows, sequence], ScalarType.Int64).DetachFromDisposeScope();
        var positions = empty([rows * targetsPerSequence], ScalarType.Int64).DetachFromDisposeScope();
        var labels = empty([rows * targetsPerSequence], ScalarType.Int64).DetachFromDisposeScope();
        for (var row = 0; row < rows; row++)
        {
            Fill(
                CounterRandom.Of(seed, RandomPurpose.SampleText, first + row),
                row * sequence,
                Longs(inputs).Slice(row * sequence, sequence),
                Longs(positions).Slice(row * targetsPerSequence, targetsPerSequence),
                Longs(labels).Slice(row * targetsPerSequence, targetsPerSequence));
        }

        return (new TensorPayload(inputs), new TensorPayload(positions, labels));
    }

    /// <inheritdoc/>
    public (IPayload Inputs, IPayload Targets) TakeHeldOut(long first, int rows) => throw new NotSupportedException("There is no held-out part.");

    /// <inheritdoc/>
    public double HeldOutBaseline(long sequences) => throw new NotSupportedException("There is no held-out part.");

    /// <summary>One row of words; one position in each of as many equal stretches as there are targets is masked.</summary>
    private void Fill(CounterRandom random, int offset, Span<long> inputs, Span<long> positions, Span<long> labels)
    {
        foreach (ref var id in inputs)
        {
            id = FirstWord + (long)((vocabulary - FirstWord) * Math.Pow(random.NextDouble(), 3));
        }

        for (var i = 0; i < targetsPerSequence; i++)
        {
            var (from, to) = (i * sequence / targetsPerSequence, (i + 1) * sequence / targetsPerSequence);
            var at = from + random.NextInt(to - from);
            positions[i] = offset + at;
            labels[i] = inputs[at];
            inputs[at] = MaskId;
        }
    }

    private static Span<long> Longs(Tensor tensor) => MemoryMarshal.Cast<byte, long>(tensor.bytes);
}
