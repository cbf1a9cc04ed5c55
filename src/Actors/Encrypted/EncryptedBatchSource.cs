using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// Micro-batches of an encrypted split: <see cref="CipherPayload"/>s as they were encrypted, so rows are taken in whole micro-batches. Epoch follows epoch
/// without a break.
/// </summary>
/// <param name="train">Training micro-batches.</param>
/// <param name="heldOut">Labelled micro-batches to evaluate on, in their order; null: none.</param>
/// <param name="seed">Seed of the orders.</param>
/// <param name="shuffle">True: the micro-batches of every epoch have an order of their own; false: that of the file.</param>
public sealed class EncryptedBatchSource(EncryptedDataset train, EncryptedDataset? heldOut, ulong seed, bool shuffle = true) : IBatchSource
{
    private readonly int _batch = heldOut is null || heldOut.Manifest.Packing == train.Manifest.Packing
        ? train.Manifest.Packing.Batch
        : throw new RefusedException($"Expected held-out data packed as the training data, {train.Manifest.Packing}; found {heldOut.Manifest.Packing}. Encrypt both with the same he.tokens and he.batch.");

    /// <summary>Training rows of an epoch.</summary>
    public int EpochRows => train.Manifest.PaddedRows;

    /// <inheritdoc/>
    public int TokensPerSequence => train.Manifest.Packing.Tokens;

    /// <inheritdoc/>
    public int TargetsPerSequence => 1;

    /// <summary>Held-out rows with those that fill up the last micro-batch.</summary>
    public long HeldOutSequences => heldOut?.Manifest.PaddedRows ?? 0;

    /// <summary>The training micro-batch that begins at a position of the run.</summary>
    /// <exception cref="ArgumentException">No micro-batch begins there.</exception>
    public int MicroBatchAt(long first)
    {
        var (epoch, index) = Math.DivRem(Whole(first, _batch), train.Count);
        return (int)(shuffle ? BlockOrder.BlockAt(seed, epoch, index, train.Count) : index);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">Not exactly one micro-batch: encrypted rows cannot be taken apart.</exception>
    public (IPayload Inputs, IPayload Targets) Take(long first, int rows, long step)
    {
        Whole(first, rows);
        return train.Read(MicroBatchAt(first));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">Not exactly one micro-batch: encrypted rows cannot be taken apart.</exception>
    public (IPayload Inputs, IPayload Targets) TakeHeldOut(long first, int rows) =>
        (heldOut ?? throw new InvalidOperationException("There are no held-out rows.")).Read((int)Whole(first, rows));

    /// <summary>Not a number: labels are encrypted.</summary>
    public double HeldOutBaseline(long sequences) => double.NaN;

    private long Whole(long first, int rows) => rows == _batch && first % _batch == 0
        ? first / _batch
        : throw new ArgumentException($"Encrypted rows are taken in micro-batches of {_batch}; {rows} rows from {first} are none. Set impl.microbatch_size={_batch}, and eval.batch_size to a multiple of it.");
}
