using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Bench;

/// <summary>A model and batch that speed is measured on.</summary>
/// <param name="Name">For the command line and the table.</param>
/// <param name="Arch">Model.</param>
/// <param name="MicroBatch">Sequences of a micro-batch.</param>
/// <param name="MicroBatches">Micro-batches of a step.</param>
public sealed record Shape(string Name, BertConfig Arch, int MicroBatch, int MicroBatches)
{
    private static readonly BertConfig Crammed = new() { Hidden = 256, Heads = 4, FeedForward = 1024, Vocabulary = 4096, Sequence = 128 };

    private static readonly BertConfig EncryptionFriendly = Crammed with
    {
        Attention = AttentionKind.GaussianKernel,
        Activation = GateActivation.Relu,
        FusedQkv = false,
    };

    /// <summary>
    /// <c>deep</c> can be cut into stages of nearly equal cost, <c>narrow</c> has more overhead per multiplication, <c>small</c> is the model
    /// of <c>arch=small</c> and cannot be cut evenly.
    /// </summary>
    public static readonly IReadOnlyList<Shape> All =
    [
        new("deep", Crammed with { Layers = 8 }, 8, 16),
        new("narrow", Crammed with { Layers = 6, Hidden = 128, FeedForward = 512, Vocabulary = 2048 }, 8, 32),
        new("small", EncryptionFriendly with { Layers = 2 }, 8, 16),
    ];

    /// <summary>Finds a shape.</summary>
    /// <exception cref="RefusedException">There is none of that name.</exception>
    public static Shape Of(string name) => All.FirstOrDefault(shape => shape.Name == name)
        ?? throw new RefusedException($"shape={name}: expected one of {string.Join(", ", All.Select(shape => shape.Name))}.");

    /// <summary>So many steps of it.</summary>
    public Workload Work(int steps) => Workload.Of(Arch, MicroBatch, MicroBatch * MicroBatches, steps);

    /// <summary>As text for a table.</summary>
    public override string ToString() =>
        $"{Name}: {Arch.Layers} × {Arch.Hidden}, vocabulary {Arch.Vocabulary}, {MicroBatches} × {MicroBatch} sequences of {Arch.Sequence}";
}
