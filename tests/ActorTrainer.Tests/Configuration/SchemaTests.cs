using ActorTrainer.Actors;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Optimisation;
using Xunit;

namespace ActorTrainer.Tests.Configuration;

public class SchemaTests
{
    private static readonly Type[] Records =
        [typeof(RunConfiguration), typeof(BertConfig), typeof(TrainOptions), typeof(RangeTraining), typeof(AdamWOptions), typeof(DataOptions), typeof(PipelineOptions), typeof(ImplOptions), typeof(FineTuneOptions), typeof(HeOptions), typeof(ClusterOptions)];

    [Fact]
    public void Reference_conf_and_the_schema_have_the_same_keys_in_the_same_order() =>
        Assert.Equal(ConfigSchema.Keys.Select(key => key.Name), ConfigLibrary.Open().Reference.Entries.Select(entry => entry.Key));

    [Fact]
    public void Every_key_is_explained_in_reference_conf_and_ends_with_its_allowed_values()
    {
        var library = ConfigLibrary.Open();
        foreach (var (key, entry) in ConfigSchema.Keys.Zip(library.Reference.Entries))
        {
            Assert.EndsWith($"[{key.Type.Domain}]", entry.Comment);
            Assert.True(library.HelpOf(key).Length > 6, key.Name);
        }
    }

    [Fact]
    public void Every_property_of_the_option_records_is_set_by_exactly_one_key()
    {
        var parts = Records.Append(typeof(object)).ToHashSet();
        var properties = Records.SelectMany(record => record.GetProperties()
            .Where(property => property.CanWrite && !parts.Contains(property.PropertyType))
            .Select(property => $"{record.Name}.{property.Name}"));
        var targets = ConfigSchema.Keys.SelectMany(key => key.Targets).Select(target => $"{target.Owner.Name}.{target.Property}");

        // The optimiser's record is there twice: for pre-training and for fine-tuning.
        var optimisers = targets.Where(target => target.StartsWith(nameof(AdamWOptions) + ".", StringComparison.Ordinal)).ToList();
        Assert.All(optimisers.CountBy(target => target), pair => Assert.Equal(2, pair.Value));
        Assert.Equal(properties.Order(), targets.Except(optimisers).Concat(optimisers.Distinct()).Order());
    }

    [Fact]
    public void The_records_own_defaults_are_those_of_reference_conf()
    {
        var run = Cfg.Resolve().Run;
        foreach (var (bound, bare) in new (object, object)[]
        {
            (run, new RunConfiguration()), (run.Arch, new BertConfig()), (run.Train, new TrainOptions()), (run.Train.Optim, new AdamWOptions()),
            (run.Data, new DataOptions()), (run.Pipeline, new PipelineOptions()), (run.Impl, new ImplOptions()), (run.Eval, new FineTuneOptions()), (run.Eval.Optim, new FineTuneOptions().Optim), (run.He, new HeOptions()), (run.Cluster, new ClusterOptions()),
        })
        {
            foreach (var property in bare.GetType().GetProperties().Where(property => !Records.Contains(property.PropertyType)))
            {
                Assert.Equal(property.GetValue(bare), property.GetValue(bound));
            }
        }
    }

    [Fact]
    public void Every_value_of_an_enumeration_has_a_word()
    {
        foreach (var type in ConfigSchema.Keys.Select(key => key.Type).OfType<ChoiceType>())
        {
            Assert.Equal(Enum.GetValues(type.Choices[0].Value.GetType()).Length, type.Choices.Select(choice => choice.Value).Distinct().Count());
        }
    }

    public static TheoryData<string, string> AllChoices()
    {
        var data = new TheoryData<string, string>();
        var library = ConfigLibrary.Open();
        foreach (var group in ConfigSchema.Groups)
        {
            foreach (var choice in library.Choices(group))
            {
                data.Add(group, choice.Name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(AllChoices))]
    public void Every_choice_resolves_and_says_what_it_is(string group, string choice)
    {
        var words = choice is "text" or "jsonl" ? new[] { $"{group}={choice}", "data.path=corpus" } : [$"{group}={choice}"];
        var resolved = Cfg.Resolve([.. words, .. choice == "dev" && group == "impl" ? ["train=dev"] : group == "he" && choice == "toy" ? ["he.allow_insecure=true"] : Array.Empty<string>()]);
        Assert.Contains(resolved.Values, value => value.Origin == $"{group}={choice}");
        Assert.InRange(ConfigLibrary.Open().Choices(group).Single(other => other.Name == choice).Heading.Length, 10, 90);
    }

    [Fact]
    public void Parameter_counts_are_the_published_ones()
    {
        Assert.Equal(119_589_889, Cfg.Resolve("arch=crammed-bert").Run.Arch.ParameterCount);
        Assert.Equal(36_971_521, Cfg.Resolve("arch=encryption-friendly").Run.Arch.ParameterCount);
    }

    [Theory]
    [InlineData("arch.layers", "12", "12")]
    [InlineData("train.optim.eps", "2.5e-4", "0.00025")]
    [InlineData("train.optim.eps", "1E-08", "1e-8")]
    [InlineData("train.clip", "1e20", "1e+20")]
    [InlineData("arch.fused_qkv", "False", "false")]
    [InlineData("impl.recompute", "on", "true")]
    [InlineData("pipeline.cut", "[ 2, 3 ]", "[2,3]")]
    [InlineData("pipeline.cut", "[]", "[]")]
    [InlineData("cluster.seeds", "10.0.0.1:4100, \"b-2.example:4101\"", "[\"10.0.0.1:4100\",\"b-2.example:4101\"]")]
    [InlineData("cluster.seeds", "[]", "[]")]
    [InlineData("data.path", "my texts/a", "\"my texts/a\"")]
    [InlineData("data.path", "a//b", "\"a//b\"")]
    [InlineData("data.path", "", "\"\"")]
    [InlineData("pipeline.schedule", "1F1B", "1f1b")]
    [InlineData("he.set", "B16k", "B16k")]
    [InlineData("he.owner", "10.0.0.1:4400", "\"10.0.0.1:4400\"")]
    [InlineData("seed", "18446744073709551615", "18446744073709551615")]
    public void Values_are_read_by_the_keys_type_and_written_as_HOCON(string name, string text, string written)
    {
        var type = ConfigSchema.Find(name)!.Type;
        Assert.Null(type.Parse(text, out var value));
        Assert.Equal(written, type.Format(value));
    }

    [Theory]
    [InlineData("arch.layers", "1.5", "is not a whole number")]
    [InlineData("arch.layers", "1e-30", "is not a whole number")]
    [InlineData("arch.layers", "0", "is out of range")]
    [InlineData("arch.layers", "99999999999", "is out of range")]
    [InlineData("train.clip", "nan", "is not a finite number")]
    [InlineData("train.clip", "1,5", "is not a finite number")]
    [InlineData("train.optim.eps", "0", "is out of range")]
    [InlineData("train.optim.beta1", "1", "is out of range")]
    [InlineData("impl.recompute", "maybe", "is neither true nor false")]
    [InlineData("pipeline.cut", "2,2", "is not a list in brackets")]
    [InlineData("pipeline.cut", "[2,0]", "has '0' where a whole number of 1 or more belongs")]
    [InlineData("cluster.seeds", "[a:1", "has only one bracket")]
    [InlineData("cluster.seeds", "[a:1,b]", "has 'b' where host:port belongs")]
    [InlineData("cluster.seeds", "a:70000", "has 'a:70000' where host:port belongs")]
    [InlineData("cluster.port", "65536", "is out of range")]
    [InlineData("seed", "-1", "is out of range")]
    [InlineData("name", "../x", "is not allowed")]
    [InlineData("name", ".hidden", "is not allowed")]
    [InlineData("name", "a b", "is not allowed")]
    [InlineData("name", "", "is empty")]
    [InlineData("data.path", "a\nb", "has a control character")]
    [InlineData("arch.attention", "kernel", "is not one of the choices")]
    [InlineData("he.set", "L16", "is not one of the choices")]
    [InlineData("he.owner", "10.0.0.1", "is not allowed")]
    public void Values_that_are_not_allowed_are_told_why(string name, string text, string complaint) =>
        Assert.Equal(complaint, ConfigSchema.Find(name)!.Type.Parse(text, out _));
}
