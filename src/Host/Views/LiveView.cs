using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;
using Spectre.Console;

namespace ActorTrainer.Host.Views;

/// <summary>
/// The run on a terminal, redrawn in place at most four times a second by a thread of its own. The run only leaves its
/// numbers here: a terminal that is slow, stuck or gone costs it nothing.
/// </summary>
public sealed class LiveView : RunObserver, IDisposable
{
    private const int Notices = 4;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly IAnsiConsole _console;
    private readonly string _name;
    private readonly RunBudget _budget;
    private readonly double? _formulaBubble;
    private readonly RunTracker _tracker;
    private readonly Queue<string> _notices = [];
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;

    /// <param name="formulaBubble">Idle share by the schedule's formula, in [0, 1]; null where none applies.</param>
    public LiveView(IAnsiConsole console, string name, RunBudget budget, double? formulaBubble = null, TimeProvider? time = null)
    {
        _console = console;
        _name = name;
        _budget = budget;
        _formulaBubble = formulaBubble;
        _tracker = new RunTracker(time ?? TimeProvider.System);
        _thread = new Thread(Show) { IsBackground = true, Name = "live view" };
        _thread.Start();
    }

    public override void OnNotice(string text)
    {
        lock (_lock)
        {
            Note(text);
        }
    }

    public override void OnAttempt(int attempt, long fromStep)
    {
        lock (_lock)
        {
            _tracker.OnAttempt(attempt);
            if (attempt > 1 || fromStep > 0)
            {
                Note($"attempt {attempt}: goes on after step {fromStep:N0}");
            }
        }
    }

    public override void OnStep(StepMetrics step)
    {
        lock (_lock)
        {
            _tracker.OnStep(step);
        }
    }

    public override void OnEvaluation(EvaluationMetrics evaluation)
    {
        lock (_lock)
        {
            _tracker.OnEvaluation(evaluation);
        }
    }

    public override void OnCheckpoint(long step, string path)
    {
        lock (_lock)
        {
            Note($"step {step:N0}: checkpoint {path}");
        }
    }

    /// <summary>Draws the last state, gives the cursor back and leaves the picture on the terminal.</summary>
    public void Dispose()
    {
        _stop.Set();

        // A terminal that takes nothing more (stopped with Ctrl+S, say) must not keep the program from ending.
        _thread.Join(Patience);
    }

    private void Show()
    {
        try
        {
            _console.Live(new Text("")).AutoClear(false).Overflow(VerticalOverflow.Crop).Start(context =>
            {
                do
                {
                    context.UpdateTarget(Frame());
                }
                while (!_stop.Wait(Interval));

                context.UpdateTarget(Frame());
            });
        }
        catch (Exception)
        {
            // The terminal is gone or too odd to draw on; the metrics files still tell everything.
        }
    }

    private Spectre.Console.Rendering.IRenderable Frame()
    {
        lock (_lock)
        {
            return LiveFrame.Draw(
                _name, _tracker, _budget, _formulaBubble, [.. _notices], _console.Profile.Width, _console.Profile.Capabilities.Unicode);
        }
    }

    private void Note(string text)
    {
        _notices.Enqueue(text.ReplaceLineEndings(" "));
        while (_notices.Count > Notices)
        {
            _notices.Dequeue();
        }
    }
}
