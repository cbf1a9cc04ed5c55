using ActorTrainer.Host.Cluster.Local;
using Xunit;

namespace ActorTrainer.Tests.Chaos;

public class NamespacePlanTests
{
    private static readonly NamespacePlan Plan = new(1234567, "10.201.7", 2);

    [Fact]
    public void The_network_is_a_bridge_with_one_namespace_a_node() => Assert.Equal(
        [
            "link add at-1234567b type bridge",
            "addr add 10.201.7.254/24 dev at-1234567b",
            "link set at-1234567b up",
            "netns add at-1234567-0",
            "link add at-1234567v0 type veth peer name eth0 netns at-1234567-0",
            "link set at-1234567v0 master at-1234567b up",
            "-n at-1234567-0 addr add 10.201.7.1/24 dev eth0",
            "-n at-1234567-0 link set eth0 up",
            "-n at-1234567-0 link set lo up",
        ],
        Plan.Create().Take(9));

    [Fact]
    public void A_cut_misleads_both_ends_and_healing_undoes_exactly_that()
    {
        Assert.Equal(
            [
                "-n at-1234567-0 neigh replace 10.201.7.2 lladdr 02:00:00:00:00:99 nud permanent dev eth0",
                "-n at-1234567-1 neigh replace 10.201.7.1 lladdr 02:00:00:00:00:99 nud permanent dev eth0",
            ],
            Plan.Cut(0, 1));
        Assert.Equal(["-n at-1234567-0 neigh del 10.201.7.2 dev eth0", "-n at-1234567-1 neigh del 10.201.7.1 dev eth0"], Plan.Heal(0, 1));
    }

    [Fact]
    public void Names_of_interfaces_fit_the_fifteen_letters_that_the_kernel_allows() => Assert.All(
        (Plan with { Count = 100 }).Create().SelectMany(command => command.Split(' ')).Where(word => word.StartsWith("at-1234567b") || word.StartsWith("at-1234567v")),
        name => Assert.InRange(name.Length, 1, 15));

    [Fact]
    public void What_is_made_is_removed() => Assert.Equal(
        ["link del at-1234567v0", "netns del at-1234567-0", "link del at-1234567v1", "netns del at-1234567-1", "link del at-1234567b"],
        Plan.Remove());

    [Fact]
    public void Leftovers_of_dead_processes_go_and_those_of_living_ones_and_strangers_stay()
    {
        var commands = NamespacePlan.RemoveLeftovers(
            "at-11-0 (id: 3)\nat-11-1\nat-22-0\nother\nat-x-1\n",
            "2: at-11b: <UP> mtu\n3: at-11v0@if2: <UP> mtu\n4: at-22b: <UP>\n5: eth0@if9: <UP>\n6: at-hand: <UP>\n",
            process => process == 22);

        Assert.Equal(["link del at-11b", "link del at-11v0", "netns del at-11-0", "netns del at-11-1"], commands);
    }

    [Fact]
    public void A_network_that_this_machine_is_already_in_is_not_taken()
    {
        Assert.Equal("10.201.50", NamespacePlan.FreePrefix(300, []));
        Assert.Equal("10.201.52", NamespacePlan.FreePrefix(300, ["10.201.50.1", "10.201.51.254", "127.0.0.1"]));
    }
}
