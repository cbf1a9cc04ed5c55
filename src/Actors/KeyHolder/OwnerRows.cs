using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>The rows of an encrypted run in the clear, in the same micro-batches and the same order: for the owner, to compare with.</summary>
/// <param name="rows">The split that was encrypted.</param>
/// <param name="examples">Which row stands where.</param>
/// <param name="order">The encrypted run's.</param>
public sealed class OwnerRows(IEncodedRows rows, OwnerExamples examples, EncryptedBatchSource order) : IBatchSource
{
    /// <inheritdoc/>
    public int TokensPerSequence => rows.Sequence;

    /// <inheritdoc/>
    public int TargetsPerSequence => 1;

    /// <inheritdoc/>
    public long HeldOutSequences => 0;

    /// <summary>Numbers of the rows of the micro-batch at a position of the run.</summary>
    public IReadOnlyList<int> At(long first) => At(examples, order, first);

    /// <inheritdoc cref="At(long)"/>
    public static IReadOnlyList<int> At(OwnerExamples examples, EncryptedBatchSource order, long first) =>
        [.. examples.RowNumbers.Skip(order.MicroBatchAt(first) * examples.Batch).Take(examples.Batch)];

    /// <inheritdoc/>
    public (IPayload Inputs, IPayload Targets) Take(long first, int count, long step) => GlueBatchSource.Payloads(rows, [.. At(first)], PaddingKind.Longest);

    /// <inheritdoc/>
    public (IPayload Inputs, IPayload Targets) TakeHeldOut(long first, int count) => throw new InvalidOperationException("There are no held-out rows.");

    /// <inheritdoc/>
    public double HeldOutBaseline(long sequences) => double.NaN;
}
