using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;

namespace ActorTrainer.Actors.Stages;

/// <summary>
/// The state of one stage inside one step, without an actor around it: where the program stands and what has arrived.
/// Payloads held here are owned here.
/// </summary>
/// <param name="step">Run, attempt, step and phase.</param>
/// <param name="stage">0-based stage.</param>
/// <param name="topology">Which part of the model is where.</param>
/// <param name="instructions">The stage's program.</param>
public sealed class StageProgram(StageProtocol.RunStep step, int stage, PipelineTopology topology, IReadOnlyList<Instruction> instructions) : IDisposable
{
    private readonly Dictionary<TransferKey, IPayload> _arrived = [];
    private int _cursor;

    /// <summary>The instruction that comes next, null at the end.</summary>
    public Instruction? Current => _cursor < instructions.Count ? instructions[_cursor] : null;

    /// <summary>The transfers that <see cref="Current"/> needs and that have not arrived.</summary>
    public IEnumerable<TransferKey> Missing => Needs(Current).Where(key => !_arrived.ContainsKey(key));

    /// <summary>Part number of one of this stage's chunks.</summary>
    public int PartOf(int chunk) => topology.PartOf(stage, chunk);

    /// <summary>Keeps a transfer of this program; false when the same one is already there or not for this stage.</summary>
    public bool Accept(TransferKey key, IPayload payload) =>
        topology.StageOf(key.Part) == stage && key.CompareToProgram(step.Attempt, step.Step, step.Phase) == 0 && _arrived.TryAdd(key, payload);

    /// <summary>Takes a transfer that has arrived; the caller owns it.</summary>
    public IPayload Take(TransferKind kind, Instruction instruction)
    {
        var key = KeyFor(kind, instruction.MicroBatch, kind is TransferKind.TiedGradient ? 0 : kind is TransferKind.TiedWeight ? topology.LastPart : PartOf(instruction.Chunk));
        return _arrived.Remove(key, out var payload)
            ? payload
            : throw new InvalidOperationException($"Stage {stage}: {instruction} ran before its {key} had arrived.");
    }

    /// <summary>Goes on to the next instruction.</summary>
    public void Advance() => _cursor++;

    /// <summary>
    /// The send that takes what <see cref="Current"/> makes: the instruction itself for tied tensors, else the one right behind it; null
    /// when its result stays here.
    /// </summary>
    public Instruction? SendOfCurrent()
    {
        if (Current is not { } current)
        {
            return null;
        }

        return current.Kind switch
        {
            InstructionKind.SendTiedGradient or InstructionKind.SendTiedWeight => current,
            InstructionKind.Forward => Behind(InstructionKind.SendActivation),
            InstructionKind.Backward => Behind(InstructionKind.SendGradient),
            _ => null,
        };

        Instruction? Behind(InstructionKind kind) =>
            _cursor + 1 < instructions.Count && instructions[_cursor + 1] == current with { Kind = kind } ? instructions[_cursor + 1] : null;
    }

    /// <summary>Where a send goes.</summary>
    public (int Stage, TransferKey Key) Destination(Instruction send)
    {
        var (kind, part) = send.Kind switch
        {
            InstructionKind.SendActivation => (TransferKind.Activation, PartOf(send.Chunk) + 1),
            InstructionKind.SendGradient => (TransferKind.Gradient, PartOf(send.Chunk) - 1),
            InstructionKind.SendTiedGradient => (TransferKind.TiedGradient, 0),
            InstructionKind.SendTiedWeight => (TransferKind.TiedWeight, topology.LastPart),
            _ => throw new ArgumentException($"{send} is not a send."),
        };
        return (topology.StageOf(part), KeyFor(kind, send.MicroBatch, part));
    }

    /// <summary>Says whom the stage waits for, for people.</summary>
    public string DescribeWait()
    {
        var waits = Missing.Select(key => $"{key.Kind} of micro-batch {key.MicroBatch} from {SenderOf(key)}");
        return $"waits at {Current} for {string.Join(" and ", waits)}";
    }

    /// <summary>Frees everything that was not handed on.</summary>
    public void Dispose()
    {
        foreach (var payload in _arrived.Values)
        {
            payload.Dispose();
        }

        _arrived.Clear();
    }

    private IEnumerable<TransferKey> Needs(Instruction? instruction)
    {
        switch (instruction)
        {
            case { Kind: InstructionKind.ReceiveActivation } i:
                yield return KeyFor(TransferKind.Activation, i.MicroBatch, PartOf(i.Chunk));
                if (PartOf(i.Chunk) == topology.LastPart)
                {
                    yield return KeyFor(TransferKind.Targets, i.MicroBatch, topology.LastPart);
                }

                break;
            case { Kind: InstructionKind.ReceiveGradient } i:
                yield return KeyFor(TransferKind.Gradient, i.MicroBatch, PartOf(i.Chunk));
                break;
            case { Kind: InstructionKind.ReceiveTiedGradient }:
                yield return KeyFor(TransferKind.TiedGradient, -1, 0);
                break;
            case { Kind: InstructionKind.ReceiveTiedWeight }:
                yield return KeyFor(TransferKind.TiedWeight, -1, topology.LastPart);
                break;
        }
    }

    private TransferKey KeyFor(TransferKind kind, int microBatch, int part) => new(step.Run, step.Attempt, step.Step, step.Phase, kind, microBatch, part);

    private string SenderOf(TransferKey key) => key.Kind switch
    {
        TransferKind.Activation when key.Part == 0 => "the batch dealer",
        TransferKind.Targets => "the batch dealer",
        TransferKind.Activation => $"stage {topology.StageOf(key.Part - 1)}",
        TransferKind.Gradient => $"stage {topology.StageOf(key.Part + 1)}",
        TransferKind.TiedGradient => $"stage {topology.HeadStage}",
        _ => "stage 0",
    };
}
