using System.Diagnostics;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Bench;

/// <summary>One measurement of one trainer, taken in a process of its own.</summary>
/// <param name="TokensPerSecond">Over the steps after the warm-up, wall clock.</param>
/// <param name="CpuSeconds">Processor time of one step, all threads together; hardly depends on what else the machine does.</param>
/// <param name="PeakMemory">MiB, highest since the start of the process.</param>
/// <param name="SteadyMemory">MiB, median over the steps after the warm-up.</param>
/// <param name="Loss">Loss of the last step: equal for trainers of equal bits.</param>
public sealed record SpeedMeasurement(double TokensPerSecond, double CpuSeconds, double PeakMemory, double SteadyMemory, double Loss)
{
    /// <summary>Measures in this process.</summary>
    /// <param name="trainer"><c>plain</c> or <c>pipeline</c>.</param>
    /// <param name="threads">Intra-op threads of the plain loop; stages have one each.</param>
    /// <param name="cut">Units of each stage.</param>
    public static async Task<SpeedMeasurement> Take(string trainer, Shape shape, int threads, IReadOnlyList<int> cut, int warmUp, int steps)
    {
        var work = shape.Work(warmUp + steps);
        var taken = new Recorder(warmUp, steps, work.TokensPerStep);
        switch (trainer)
        {
            case "plain":
                using (var loop = new PlainLoop(work, threads))
                {
                    for (var step = 1; step <= warmUp + steps; step++)
                    {
                        taken.After(step, loop.Step());
                    }
                }

                break;
            case "pipeline":
                await new PipelineRun { Work = work, Cut = cut }.Execute(new RunProbe { Step = step => taken.After(step.Step, step.Loss) }).ConfigureAwait(false);
                break;
            default:
                throw new RefusedException($"trainer={trainer}: expected plain or pipeline.");
        }

        return taken.Result ?? throw new InvalidOperationException("The run ended before its last step.");
    }

    private sealed class Recorder(int warmUp, int steps, long tokensPerStep)
    {
        private readonly List<double> _resident = [];
        private long _start;
        private TimeSpan _cpu;

        public SpeedMeasurement? Result { get; private set; }

        /// <summary>Called after each step. What comes after the last one (the pipeline's checkpoint) is not measured.</summary>
        public void After(long step, double loss)
        {
            if (step == warmUp)
            {
                _start = Stopwatch.GetTimestamp();
                _cpu = Environment.CpuUsage.TotalTime;
            }
            else if (step > warmUp)
            {
                _resident.Add(ProcessMemory.Resident);
            }

            if (step == warmUp + steps)
            {
                var seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
                var cpu = (Environment.CpuUsage.TotalTime - _cpu).TotalSeconds / steps;
                Result = new SpeedMeasurement(steps * tokensPerStep / seconds, cpu, ProcessMemory.Peak, Statistics.Median(_resident), loss);
            }
        }
    }
}
