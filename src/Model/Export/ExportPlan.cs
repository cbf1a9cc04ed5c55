using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Export;

/// <summary>What is exported: splits of one task, embedded by one model.</summary>
public sealed record ExportPlan
{
    /// <summary>Size at which a new shard begins, by default.</summary>
    public const long DefaultShardBytes = 256L << 20;

    private const long BlockBytes = 2L << 20;

    /// <summary>Name of the model, for the manifest.</summary>
    public required string Model { get; init; }

    /// <summary>Shape of the model.</summary>
    public required BertConfig Arch { get; init; }

    /// <summary>The model's embedding, with its weights in place. Stays the caller's.</summary>
    public required EmbeddingUnit Embedding { get; init; }

    /// <summary>Hash of the tokenizer that made the ids.</summary>
    public required string TokenizerHash { get; init; }

    /// <summary>The splits, of one task; each gets a folder of its name.</summary>
    public required IReadOnlyList<IEncodedRows> Splits { get; init; }

    /// <summary>Bytes of a shard, at most; a shard has at least one row. Part of what an existing export must agree in.</summary>
    public long ShardBytes { get; init; } = DefaultShardBytes;

    /// <summary>Rows embedded at a time; 0: as many as make 2 MiB. Changes memory and speed, not the bits.</summary>
    public int BlockRows { get; init; }

    /// <summary>Refuses what cannot be exported.</summary>
    /// <exception cref="RefusedException">Names what was expected and found.</exception>
    /// <exception cref="ArgumentException">The embedding is not of that shape, or not in single precision.</exception>
    internal void Validate()
    {
        if (Embedding.Table.dtype != ScalarType.Float32 || !Embedding.Table.shape.SequenceEqual([Arch.Vocabulary, Arch.Hidden]))
        {
            throw new ArgumentException(
                $"Expected a float32 token table [{Arch.Vocabulary}, {Arch.Hidden}], found {Embedding.Table.dtype} [{string.Join(", ", Embedding.Table.shape)}].");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(ShardBytes, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(BlockRows);
        if (Splits.Count == 0 || Splits.Select(split => split.Task.Name).Distinct().Count() != 1
            || Splits.Select(split => split.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count() != Splits.Count)
        {
            throw new RefusedException(
                "Expected one or more different splits of one task to export; found "
                + (Splits.Count == 0 ? "none." : $"{string.Join(", ", Splits.Select(split => $"{split.Task.Name} {split.Name}"))}."));
        }

        foreach (var split in Splits)
        {
            RequireFolderName(split.Task.Name);
            RequireFolderName(split.Name);
            if (split.Sequence > Arch.Sequence || split.Sequence < 1)
            {
                throw new RefusedException(
                    $"Rows of {split.Task.Name} {split.Name} have {split.Sequence} tokens; the model {Model} has positions for 1 to {Arch.Sequence}: "
                    + "encode the task with a length in that range.");
            }

            EncodedRowsCheck.Require(split, Arch.Vocabulary);
        }
    }

    /// <summary>Rows embedded at a time.</summary>
    internal int RowsPerBlock(int sequence) =>
        BlockRows > 0 ? BlockRows : (int)Math.Max(1, BlockBytes / (sizeof(float) * (long)sequence * Arch.Hidden));

    private static void RequireFolderName(string name)
    {
        if (name.Length == 0 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not '_' and not '-'))
        {
            throw new RefusedException($"'{name}' cannot be the name of a folder of an export; expected letters, digits, _ and -.");
        }
    }
}
