namespace ActorTrainer.Actors.Schedules;

/// <summary>
/// Runs the programs of all stages on paper: receives block, sends do not, parts take given times. Tells the makespan and
/// bubble of a plan, and proves that a schedule cannot deadlock whatever the times are, since what waits for what does not
/// depend on them.
/// </summary>
public static class ScheduleSimulator
{
    /// <summary>Builds and simulates one training step.</summary>
    /// <param name="costs">Per part (chunk · stages + stage), stages · chunks of them.</param>
    /// <param name="transfer">Time of one transfer between two stages; none inside a stage.</param>
    /// <param name="tied">Whether the head's decoder is the embedding's table.</param>
    /// <exception cref="ArgumentException">The kind, numbers and costs do not fit together.</exception>
    public static ScheduleSimulation Step(
        ScheduleKind kind, int stages, int microBatches, int chunks, IReadOnlyList<PartCost> costs, double transfer = 0, bool tied = true)
    {
        PipelineSchedule.Check(kind, 0, stages, microBatches, chunks);
        var programs = Enumerable.Range(0, stages).Select(s => PipelineSchedule.Build(kind, s, stages, microBatches, chunks, tied));
        return Run([.. programs], costs, transfer);
    }

    /// <summary>Simulates one program per stage.</summary>
    /// <param name="programs">Per stage its instructions.</param>
    /// <param name="costs">Per part (chunk · stages + stage); a multiple of the stages.</param>
    /// <param name="transfer">Time of one transfer between two stages; none inside a stage.</param>
    /// <exception cref="ArgumentException">There is no stage, or the costs are no multiple of the stages.</exception>
    /// <exception cref="ScheduleDeadlockException">Some stages wait for ever; the message names each one, its micro-batch and its peer.</exception>
    /// <exception cref="InvalidOperationException">The same transfer is sent twice.</exception>
    public static ScheduleSimulation Run(
        IReadOnlyList<IReadOnlyList<Instruction>> programs, IReadOnlyList<PartCost> costs, double transfer = 0)
    {
        if (programs.Count == 0 || costs.Count == 0 || costs.Count % programs.Count != 0)
        {
            throw new ArgumentException(
                $"Expected the costs of a whole number of parts per stage, got {costs.Count} parts on {programs.Count} stages.", nameof(costs));
        }

        var topology = new PipelineTopology(programs.Count, costs.Count / programs.Count);
        return new Machine(topology, programs, costs, transfer).Run();
    }

    private sealed class Machine
    {
        private readonly PipelineTopology _topology;
        private readonly IReadOnlyList<IReadOnlyList<Instruction>> _programs;
        private readonly IReadOnlyList<PartCost> _costs;
        private readonly double _transfer;
        private readonly List<TimedInstruction>[] _done;
        private readonly double[] _clock;

        /// <summary>Transfers on their way: what the receiver waits for → when it is there.</summary>
        private readonly Dictionary<(InstructionKind Receive, int Part, int MicroBatch), double> _sent = [];

        public Machine(
            PipelineTopology topology, IReadOnlyList<IReadOnlyList<Instruction>> programs, IReadOnlyList<PartCost> costs, double transfer)
        {
            _topology = topology;
            _programs = programs;
            _costs = costs;
            _transfer = transfer;
            _done = [.. programs.Select(p => new List<TimedInstruction>(p.Count))];
            _clock = new double[programs.Count];
        }

        public ScheduleSimulation Run()
        {
            for (var progress = true; progress;)
            {
                progress = false;
                for (var stage = 0; stage < _programs.Count; stage++)
                {
                    while (_done[stage].Count < _programs[stage].Count && TryRun(stage, _programs[stage][_done[stage].Count]))
                    {
                        progress = true;
                    }
                }
            }

            if (Stuck().Any())
            {
                throw new ScheduleDeadlockException($"Deadlock: {string.Join("; ", Stuck().Select(Describe))}.");
            }

            var compute = _done.SelectMany(d => d).Where(t => t.Instruction.Kind is InstructionKind.Forward or InstructionKind.Backward).ToList();
            var makespan = compute.Count == 0 ? 0 : compute.Max(t => t.End);
            var busy = compute.Sum(t => t.End - t.Start);
            return new ScheduleSimulation(_done, makespan, makespan > 0 ? 1 - busy / (_programs.Count * makespan) : 0);
        }

        private IEnumerable<int> Stuck() => Enumerable.Range(0, _programs.Count).Where(s => _done[s].Count < _programs[s].Count);

        private bool TryRun(int stage, Instruction instruction)
        {
            var start = _clock[stage];
            if (End(stage, instruction, start) is not { } end)
            {
                return false;
            }

            _done[stage].Add(new TimedInstruction(instruction, start, end));
            _clock[stage] = end;
            return true;
        }

        /// <summary>When the instruction ends, or null while what it waits for has not been sent.</summary>
        private double? End(int stage, Instruction instruction, double start)
        {
            var part = _topology.PartOf(stage, Math.Max(instruction.Chunk, 0));
            switch (instruction.Kind)
            {
                case InstructionKind.Forward:
                    return start + _costs[part].Forward;
                case InstructionKind.Backward:
                    return start + _costs[part].Backward;
                case InstructionKind.ReceiveActivation when part == 0:
                    return start;
                case InstructionKind.ReceiveActivation or InstructionKind.ReceiveGradient:
                    return Arrival((instruction.Kind, part, instruction.MicroBatch), start);
                case InstructionKind.ReceiveTiedGradient or InstructionKind.ReceiveTiedWeight:
                    return Arrival((instruction.Kind, -1, -1), start);
                case InstructionKind.SendActivation:
                    return Send((InstructionKind.ReceiveActivation, part + 1, instruction.MicroBatch), stage, instruction, start);
                case InstructionKind.SendGradient:
                    return Send((InstructionKind.ReceiveGradient, part - 1, instruction.MicroBatch), stage, instruction, start);
                case InstructionKind.SendTiedGradient:
                    return Send((InstructionKind.ReceiveTiedGradient, -1, -1), stage, instruction, start);
                case InstructionKind.SendTiedWeight:
                    return Send((InstructionKind.ReceiveTiedWeight, -1, -1), stage, instruction, start);
                case InstructionKind.ReduceNorm:
                    return Barrier(start);
                default:
                    return start;
            }
        }

        private double Send((InstructionKind, int, int) key, int stage, Instruction instruction, double start)
        {
            var arrival = start + (_topology.Peer(stage, instruction) == stage ? 0 : _transfer);
            if (!_sent.TryAdd(key, arrival))
            {
                throw new InvalidOperationException($"Stage {stage} sends {instruction} twice before it is received.");
            }

            return start;
        }

        private double? Arrival((InstructionKind, int, int) key, double start) =>
            _sent.Remove(key, out var arrival) ? Math.Max(start, arrival) : null;

        /// <summary>The clip factor is there once every stage has reported its norm, i.e. has come as far as its own norm instruction.</summary>
        private double? Barrier(double start)
        {
            var end = start;
            for (var s = 0; s < _programs.Count; s++)
            {
                var reached = _done[s].FindIndex(t => t.Instruction.Kind == InstructionKind.ReduceNorm);
                if (reached < 0 && (_done[s].Count == _programs[s].Count || _programs[s][_done[s].Count].Kind != InstructionKind.ReduceNorm))
                {
                    return null;
                }

                end = Math.Max(end, reached < 0 ? _clock[s] : _done[s][reached].Start);
            }

            return end;
        }

        private string Describe(int stage)
        {
            var instruction = _programs[stage][_done[stage].Count];
            var part = _topology.PartOf(stage, Math.Max(instruction.Chunk, 0));
            var place = $"stage {stage} (part {part})";
            var peer = _topology.Peer(stage, instruction);
            return instruction.Kind switch
            {
                InstructionKind.ReceiveActivation => $"{place} waits for the activation of micro-batch {instruction.MicroBatch} from stage {peer}",
                InstructionKind.ReceiveGradient => $"{place} waits for the gradient of micro-batch {instruction.MicroBatch} from stage {peer}",
                InstructionKind.ReceiveTiedGradient => $"stage {stage} waits for the tied gradient from stage {peer}",
                InstructionKind.ReceiveTiedWeight => $"stage {stage} waits for the tied weight from stage {peer}",
                _ => $"stage {stage} waits in {instruction.Kind} for the other stages",
            };
        }
    }
}
