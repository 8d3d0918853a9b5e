/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which limits wait at which veth. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "base/array.h"
#include "ctl/veth_claims.h"

/* Claims as they are read: limit n is that of cgroup n, unless said. */
struct scene {
	struct found_cgroup cgroups[8];
	struct found_cgroups found;
	struct veth_claims claims;
};

static void add_cgroup(struct scene *scene, char *path)
{
	struct veth_limit *limit = ARRAY_ADD(&scene->claims, limits);

	assert_non_null(limit);
	limit->group = limit->cgroup = scene->found.n_list;
	scene->cgroups[scene->found.n_list].path = path;
	scene->found.list = scene->cgroups;
	scene->found.n_list++;
}

static void add_claim(struct scene *scene, uint32_t veth, size_t cgroup,
		      size_t limit)
{
	struct veth_claim *claim = ARRAY_ADD(&scene->claims, list);

	assert_non_null(claim);
	claim->veth.ifindex = veth;
	claim->cgroup = cgroup;
	claim->limit = limit;
}

static void claim(struct scene *scene, uint32_t veth, size_t cgroup)
{
	add_claim(scene, veth, cgroup, cgroup);
}

static void expect(struct scene *scene, uint32_t veth, size_t own, size_t pool)
{
	struct veth_claims *claims = &scene->claims;
	struct err err;
	size_t i;

	if (!claims->n_places)
		assert_int_equal(veth_claims_place(claims, &scene->found, &err),
				 0);
	for (i = 0; i < claims->n_places; i++) {
		if (claims->places[i].veth->ifindex != veth)
			continue;
		assert_int_equal(claims->places[i].own, own);
		assert_int_equal(claims->places[i].pool, pool);
		return;
	}
	fail_msg("no place at %u", veth);
}

static void expect_mixed(const struct scene *scene, size_t limit, bool mixed)
{
	assert_int_equal(scene->claims.limits[limit].mixed, mixed);
}

static void a_limit_of_one_veth_waits_there(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	add_cgroup(&scene, "/a");
	claim(&scene, 5, 0);
	expect(&scene, 5, 0, NONE_HERE);
	expect_mixed(&scene, 0, false);
	veth_claims_clear(&scene.claims);
}

static void a_limit_of_two_veths_waits_in_a_pool(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	add_cgroup(&scene, "/a");
	claim(&scene, 6, 0);
	claim(&scene, 5, 0);
	expect(&scene, 5, NONE_HERE, 0);
	expect(&scene, 6, NONE_HERE, 0);
	expect_mixed(&scene, 0, false);
	veth_claims_clear(&scene.claims);
}

static void so_does_one_where_somebody_has_a_queue(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	add_cgroup(&scene, "/a");
	add_cgroup(&scene, "/a/b");
	claim(&scene, 5, 0);
	claim(&scene, 5, 1);
	scene.claims.list[0].is_foreign = true;
	scene.claims.list[1].is_foreign = true;
	expect(&scene, 5, NONE_HERE, 1);
	expect_mixed(&scene, 0, true);
	veth_claims_clear(&scene.claims);
}

static void cgroups_that_share_a_limit_count_as_one(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	add_cgroup(&scene, "/a");
	add_cgroup(&scene, "/a/b");
	add_claim(&scene, 5, 0, 0);
	add_claim(&scene, 5, 1, 0);
	expect(&scene, 5, 0, NONE_HERE);
	veth_claims_clear(&scene.claims);
}

static void the_limit_above_waits_in_a_pool_before(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	add_cgroup(&scene, "/a");
	add_cgroup(&scene, "/a-b");
	add_cgroup(&scene, "/a/b");
	claim(&scene, 5, 0);
	claim(&scene, 5, 2);
	claim(&scene, 6, 0);
	expect(&scene, 5, 2, 0);
	expect(&scene, 6, NONE_HERE, 0);
	expect_mixed(&scene, 0, false);
	veth_claims_clear(&scene.claims);
}

static void it_does_where_it_is_above_one_alone(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	add_cgroup(&scene, "/");
	add_cgroup(&scene, "/b");
	claim(&scene, 5, 0);
	claim(&scene, 5, 1);
	expect(&scene, 5, 1, 0);
	expect_mixed(&scene, 0, false);
	veth_claims_clear(&scene.claims);
}

static void a_third_limit_is_policed(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	add_cgroup(&scene, "/a");
	add_cgroup(&scene, "/a/b");
	add_cgroup(&scene, "/a/b/c");
	claim(&scene, 5, 0);
	claim(&scene, 5, 1);
	claim(&scene, 5, 2);
	expect(&scene, 5, 2, 1);
	expect_mixed(&scene, 0, true);
	expect_mixed(&scene, 1, false);
	veth_claims_clear(&scene.claims);
}

static void so_is_one_above_a_pool(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	add_cgroup(&scene, "/a");
	add_cgroup(&scene, "/a/b");
	claim(&scene, 5, 0);
	claim(&scene, 5, 1);
	claim(&scene, 6, 0);
	claim(&scene, 6, 1);
	expect(&scene, 5, NONE_HERE, 1);
	expect(&scene, 6, NONE_HERE, 1);
	expect_mixed(&scene, 0, true);
	veth_claims_clear(&scene.claims);
}

static void of_neighbours_at_one_veth_the_first_waits(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	add_cgroup(&scene, "/a");
	add_cgroup(&scene, "/b");
	claim(&scene, 5, 1);
	claim(&scene, 5, 0);
	expect(&scene, 5, 0, NONE_HERE);
	expect_mixed(&scene, 0, false);
	expect_mixed(&scene, 1, true);
	veth_claims_clear(&scene.claims);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_of_one_veth_waits_there),
		cmocka_unit_test(a_limit_of_two_veths_waits_in_a_pool),
		cmocka_unit_test(so_does_one_where_somebody_has_a_queue),
		cmocka_unit_test(cgroups_that_share_a_limit_count_as_one),
		cmocka_unit_test(the_limit_above_waits_in_a_pool_before),
		cmocka_unit_test(it_does_where_it_is_above_one_alone),
		cmocka_unit_test(a_third_limit_is_policed),
		cmocka_unit_test(so_is_one_above_a_pool),
		cmocka_unit_test(of_neighbours_at_one_veth_the_first_waits),
	};

	return RUN(tests);
}
