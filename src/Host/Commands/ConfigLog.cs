using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Commands;

/// <summary>
/// Keeps the configuration that a run was last started with in <c>config.conf</c>. It is written when an attempt begins:
/// a command that is refused, or finds the run complete, leaves the file alone.
/// </summary>
/// <param name="folder">Folder of the run.</param>
/// <param name="text">The configuration.</param>
internal sealed class ConfigLog(string folder, string text) : RunObserver
{
    public override void OnAttempt(int attempt, long fromStep) => AtomicFile.WriteText(Path.Combine(folder, "config.conf"), text);
}
